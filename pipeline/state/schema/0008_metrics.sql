-- What the machine and the work did over time. All of it may be lost; nothing else refers to it.

CREATE TABLE spans (                              -- one visit of one file in a worker
    ended_us INTEGER PRIMARY KEY,                 -- unix time in microseconds, made unique
    began_ms INTEGER NOT NULL,                    -- unix time in milliseconds
    job_id   TEXT,
    task_id  TEXT NOT NULL,
    file_id  TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    kind     TEXT NOT NULL,                       -- of the task: 'visit', 'restudy', 'optimise' ...
    slot     INTEGER NOT NULL,
    cpu_ms   INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,                    -- of the file
    outcome  TEXT NOT NULL,                       -- 'done', 'refused', 'later', 'failed'
    stages   TEXT NOT NULL                        -- "hash 0 12 11 done;facts 12 ...", see spans.py
) STRICT;
CREATE INDEX spans_file ON spans (file_id);

CREATE TABLE metrics (                            -- one sample, or many rolled up into one
    every_s  INTEGER NOT NULL,                    -- 10 or 300
    at       INTEGER NOT NULL,                    -- unix time in seconds, where its interval begins
    readings TEXT NOT NULL CHECK (json_valid(readings)),
    PRIMARY KEY (every_s, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE storage (                            -- what a library was made of, once a day
    owner_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    day      TEXT NOT NULL,
    at       TEXT NOT NULL,                       -- when it was counted
    counted  TEXT NOT NULL CHECK (json_valid(counted)),
    PRIMARY KEY (owner_id, day)
) STRICT, WITHOUT ROWID;
