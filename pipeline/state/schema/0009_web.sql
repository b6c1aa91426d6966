-- What the HTTP side must remember: answers to repeat, and uploads that can be resumed.

CREATE TABLE idempotency (                        -- answers by Idempotency-Key, for a day
    user_id     TEXT NOT NULL,                    -- of who asked; one key means nothing to another
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,                    -- of method, path and body
    status      INTEGER,                          -- NULL: still being worked on
    headers     TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(headers)),
    body        BLOB NOT NULL DEFAULT x'',
    at          TEXT NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE uploads (                            -- begun and not yet handed to intake
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id),
    library_id TEXT NOT NULL REFERENCES users (id),
    name       TEXT NOT NULL,                     -- relative, as the sender called it
    batch      TEXT NOT NULL,                     -- files sent together lie in one folder
    size       INTEGER NOT NULL CHECK (size > 0),
    received   INTEGER NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND size),
    sha256     TEXT,                              -- what the sender says the whole will be
    mtime_ns   INTEGER,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX uploads_user ON uploads (user_id, created_at);
CREATE INDEX uploads_updated ON uploads (updated_at);

-- What the grid shows: in which month a file is shown, how wide it is there, and how many there are.
ALTER TABLE media_files ADD COLUMN shown_month TEXT GENERATED ALWAYS AS (
    CASE WHEN state IN ('placed', 'done') AND category IN ('photo', 'video')
              AND (bundle_role IS NULL OR bundle_role IN ('primary', 'edit'))
         THEN substr(coalesce(taken_utc, ''), 1, 7) END) VIRTUAL;
ALTER TABLE media_files ADD COLUMN shown_ratio INTEGER GENERATED ALWAYS AS (  -- upright, in 1/1000
    CASE WHEN width > 0 AND height > 0
         THEN min(max(CASE WHEN orientation >= 5 THEN 1000 * height / width
                           ELSE 1000 * width / height END, 300), 4000)
         ELSE 1000 END) VIRTUAL;
CREATE INDEX media_files_shown ON media_files (owner_id, shown_month, coalesce(taken_utc, ''), id)
    WHERE shown_month IS NOT NULL;

CREATE TABLE shown_months (
    owner_id TEXT NOT NULL,
    month    TEXT NOT NULL,                       -- of UTC, 'YYYY-MM'; '' is undated
    files    INTEGER NOT NULL,
    ratios   INTEGER NOT NULL,                    -- the sum: how much room they need
    PRIMARY KEY (owner_id, month)
) STRICT, WITHOUT ROWID;
INSERT INTO shown_months
    SELECT owner_id, shown_month, count(*), sum(shown_ratio) FROM media_files
    WHERE shown_month IS NOT NULL GROUP BY owner_id, shown_month;

CREATE TRIGGER shown_months_new AFTER INSERT ON media_files WHEN NEW.shown_month IS NOT NULL
BEGIN
    INSERT INTO shown_months VALUES (NEW.owner_id, NEW.shown_month, 1, NEW.shown_ratio)
        ON CONFLICT DO UPDATE SET files = files + 1, ratios = ratios + excluded.ratios;
END;
CREATE TRIGGER shown_months_leave AFTER UPDATE ON media_files
    WHEN OLD.shown_month IS NOT NULL AND (OLD.shown_month, OLD.shown_ratio, OLD.owner_id)
         IS NOT (NEW.shown_month, NEW.shown_ratio, NEW.owner_id)
BEGIN
    UPDATE shown_months SET files = files - 1, ratios = ratios - OLD.shown_ratio
        WHERE owner_id = OLD.owner_id AND month = OLD.shown_month;
END;
CREATE TRIGGER shown_months_come AFTER UPDATE ON media_files
    WHEN NEW.shown_month IS NOT NULL AND (OLD.shown_month, OLD.shown_ratio, OLD.owner_id)
         IS NOT (NEW.shown_month, NEW.shown_ratio, NEW.owner_id)
BEGIN
    INSERT INTO shown_months VALUES (NEW.owner_id, NEW.shown_month, 1, NEW.shown_ratio)
        ON CONFLICT DO UPDATE SET files = files + 1, ratios = ratios + excluded.ratios;
END;
CREATE TRIGGER shown_months_gone AFTER DELETE ON media_files WHEN OLD.shown_month IS NOT NULL
BEGIN
    UPDATE shown_months SET files = files - 1, ratios = ratios - OLD.shown_ratio
        WHERE owner_id = OLD.owner_id AND month = OLD.shown_month;
END;

CREATE TABLE edits (                              -- what a person says of a file, over all evidence
    file_id  TEXT PRIMARY KEY REFERENCES media_files (id) ON DELETE CASCADE,
    said     TEXT NOT NULL CHECK (json_valid(said)),     -- by field, the columns it decides
    evidence TEXT NOT NULL CHECK (json_valid(evidence)), -- what those columns would be without it
    at       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER search_edit_new AFTER INSERT ON edits BEGIN
    INSERT INTO search_stale VALUES (NEW.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_edit_changed AFTER UPDATE ON edits BEGIN
    INSERT INTO search_stale VALUES (NEW.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_edit_gone AFTER DELETE ON edits BEGIN
    INSERT INTO search_stale SELECT id FROM media_files WHERE id = OLD.file_id
        ON CONFLICT DO NOTHING;
END;

-- The journal learns more actions: 'edit', 'decide', 'album' and 'bundle'.
CREATE TABLE new_journal (
    id        TEXT PRIMARY KEY,
    job_id    TEXT NOT NULL REFERENCES processing_jobs (id),
    file_id   TEXT NOT NULL REFERENCES media_files (id),
    action    TEXT NOT NULL CHECK (action IN ('place', 'move', 'trash', 'restore', 'retag',
                  'replace', 'edit', 'decide', 'album', 'bundle')),
    before    TEXT NOT NULL CHECK (json_valid(before)),
    after     TEXT NOT NULL CHECK (json_valid(after)),
    at        TEXT NOT NULL,
    undone_at TEXT
) STRICT;
INSERT INTO new_journal SELECT id, job_id, file_id, action, before, after, at, undone_at FROM journal;
DROP TABLE journal;
ALTER TABLE new_journal RENAME TO journal;
CREATE INDEX journal_job ON journal (job_id, id);

CREATE TABLE batch_results (                      -- what became of each file, for a month
    job_id TEXT PRIMARY KEY REFERENCES processing_jobs (id),
    items  TEXT NOT NULL CHECK (json_valid(items)),
    at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_results_at ON batch_results (at);
