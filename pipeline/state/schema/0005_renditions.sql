-- What was made of files on request - smaller copies, other formats, blurred ones - once for each
-- content and wish, and what it saved.

CREATE TABLE renditions (
    id           TEXT PRIMARY KEY,
    file_id      TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    owner_id     TEXT NOT NULL REFERENCES users (id),
    job_id       TEXT REFERENCES processing_jobs (id),
    stage        TEXT NOT NULL,                   -- 'optimise', 'convert', 'blur' ...
    version      INTEGER NOT NULL,
    params       TEXT NOT NULL CHECK (json_valid(params)),
    sha256       TEXT NOT NULL,                   -- the bytes it was made of
    outcome      TEXT NOT NULL CHECK (outcome IN ('made', 'skipped')),
    reason       TEXT,                            -- why it was skipped, for a person
    facts        TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(facts)),
    kind         TEXT NOT NULL DEFAULT '',        -- of several made at once, which: 'web-640' ...
    path         TEXT,                            -- below the cache
    mime         TEXT,
    width        INTEGER,
    height       INTEGER,
    made_sha256  TEXT,
    bytes_before INTEGER NOT NULL,
    bytes_after  INTEGER,
    original_id  TEXT REFERENCES media_files (id), -- the row the original has since this replaced it
    made_at      TEXT NOT NULL,
    replaced_at  TEXT,
    CHECK (outcome = 'skipped' OR (path IS NOT NULL AND made_sha256 IS NOT NULL)),
    UNIQUE (sha256, stage, version, params, kind)
) STRICT;
CREATE INDEX renditions_file ON renditions (file_id);
CREATE INDEX renditions_made ON renditions (made_sha256) WHERE made_sha256 IS NOT NULL;
CREATE INDEX renditions_job ON renditions (job_id) WHERE job_id IS NOT NULL;

-- The journal learns one more action: 'replace'.
CREATE TABLE new_journal (
    id        TEXT PRIMARY KEY,
    job_id    TEXT NOT NULL REFERENCES processing_jobs (id),
    file_id   TEXT NOT NULL REFERENCES media_files (id),
    action    TEXT NOT NULL
        CHECK (action IN ('place', 'move', 'trash', 'restore', 'retag', 'replace')),
    before    TEXT NOT NULL CHECK (json_valid(before)),
    after     TEXT NOT NULL CHECK (json_valid(after)),
    at        TEXT NOT NULL,
    undone_at TEXT
) STRICT;
INSERT INTO new_journal SELECT id, job_id, file_id, action, before, after, at, undone_at FROM journal;
DROP TABLE journal;
ALTER TABLE new_journal RENAME TO journal;
CREATE INDEX journal_job ON journal (job_id, id);
