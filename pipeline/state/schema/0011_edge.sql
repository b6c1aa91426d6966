-- The edge: what caches before us may hold and must be told to forget, pictures in forms that a
-- browser takes, and how often callers asked.

CREATE TABLE edge_held (                          -- signed addresses that were answered
    address  TEXT PRIMARY KEY,                    -- path and query
    file_id  TEXT NOT NULL,
    owner_id TEXT NOT NULL,                       -- of the file
    until    INTEGER NOT NULL                     -- Unix seconds; then no cache may hold it
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_held_file ON edge_held (file_id);
CREATE INDEX edge_held_until ON edge_held (until);

CREATE TABLE edge_calls (                         -- what a cache is still to be told to forget
    id         TEXT PRIMARY KEY,                  -- the same at each try
    owner_id   TEXT NOT NULL,
    addresses  TEXT NOT NULL CHECK (json_valid(addresses)),
    is_echo    INTEGER NOT NULL CHECK (is_echo IN (0, 1)),  -- said again, for what was on its way
    until      INTEGER NOT NULL,                  -- Unix seconds; then it holds none of them
    created_at TEXT NOT NULL,
    due_at     TEXT NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    error      TEXT,
    parked_at  TEXT                               -- given up; a person is told
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_calls_due ON edge_calls (due_at) WHERE parked_at IS NULL;

CREATE TABLE picture_forms (                      -- a derivative in another format, or that it is
    sha256     TEXT NOT NULL,                     -- not worth one
    kind       TEXT NOT NULL,                     -- of the derivative
    mime       TEXT NOT NULL,
    version    INTEGER NOT NULL,                  -- of the stage that tried
    path       TEXT,                              -- below the cache; NULL: not smaller
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (sha256, kind, mime)
) STRICT, WITHOUT ROWID;

CREATE TABLE rate_buckets (                       -- those that are nearly spent, once a second
    policy  TEXT NOT NULL,
    caller  BLOB NOT NULL,                        -- a hash
    free_at REAL NOT NULL,                        -- Unix seconds at which it is full again
    PRIMARY KEY (policy, caller)
) STRICT, WITHOUT ROWID;
