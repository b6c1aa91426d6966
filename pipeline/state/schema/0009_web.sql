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
    size       INTEGER NOT NULL CHECK (size >= 0),
    received   INTEGER NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND size),
    sha256     TEXT,                              -- what the sender says the whole will be
    mtime_ns   INTEGER,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX uploads_user ON uploads (user_id, created_at);
CREATE INDEX uploads_updated ON uploads (updated_at);
