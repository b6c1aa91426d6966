-- The ground floor. Times are UTC text (clock.timestamp), ids UUIDv7 text, paths of sources bytes.

CREATE TABLE migrations (                         -- the schema version once more, see migrate.py
    version    INTEGER PRIMARY KEY,
    applied_at TEXT NOT NULL
) STRICT;

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE,
    email         TEXT UNIQUE,
    password_hash TEXT,
    role          TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer', 'guest')),
    is_active     INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    created_at    TEXT NOT NULL,
    last_login    TEXT
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value))
) STRICT;

CREATE TABLE roots (
    id         TEXT PRIMARY KEY,
    path       BLOB NOT NULL UNIQUE,
    kind       TEXT NOT NULL CHECK (kind IN ('library', 'inbox', 'managed', 'foreign')),
    take       TEXT NOT NULL CHECK (take IN ('move', 'copy', 'index')),
    owner_id   TEXT NOT NULL REFERENCES users (id),
    marker     TEXT,
    device     TEXT,
    state      TEXT NOT NULL DEFAULT 'online' CHECK (state IN ('online', 'offline', 'asking')),
    reason     TEXT,
    checked_at TEXT,
    created_at TEXT NOT NULL,
    CHECK (kind <> 'foreign' OR take <> 'move'),
    CHECK (kind <> 'foreign' OR marker IS NULL)
) STRICT;

CREATE TABLE bundles (
    id         TEXT PRIMARY KEY,
    owner_id   TEXT NOT NULL REFERENCES users (id),
    content_id TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX bundles_content_id ON bundles (content_id) WHERE content_id IS NOT NULL;

CREATE TABLE media_files (
    id               TEXT PRIMARY KEY,
    owner_id         TEXT NOT NULL REFERENCES users (id),
    root_id          TEXT NOT NULL REFERENCES roots (id),
    source_path      BLOB NOT NULL,              -- below the root, as the OS gave it
    source_dir       BLOB NOT NULL,              -- its directory: where bundles are looked for
    bucket           TEXT NOT NULL,              -- files of one bundle share it, see intake/bundles
    take             TEXT NOT NULL CHECK (take IN ('move', 'copy', 'index')),
    size             INTEGER NOT NULL,
    mtime_ns         INTEGER NOT NULL,
    inode            INTEGER NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('found', 'studied', 'placing', 'placed', 'done',
                         'duplicate', 'rejected', 'trashed', 'purged', 'missing')),
    sha256           TEXT,
    format           TEXT,
    category         TEXT,
    mime             TEXT,
    path             TEXT,                       -- below the library root, once chosen
    path_key         TEXT,                       -- the same for disks that ignore case and composition
    bundle_id        TEXT REFERENCES bundles (id),
    content_id       TEXT,                       -- Apple's, joins a Live Photo across names
    bundle_role      TEXT CHECK (bundle_role IN ('primary', 'live_video', 'raw', 'edit', 'sidecar')),
    duplicate_of     TEXT REFERENCES media_files (id),
    is_damaged       INTEGER NOT NULL DEFAULT 0 CHECK (is_damaged IN (0, 1)),
    reason           TEXT,                       -- why rejected, damaged or missing, for a person
    taken_at         TEXT,                       -- local ISO 8601, with offset where known
    taken_utc        TEXT,                       -- best estimate, for sorting
    taken_from       TEXT,
    taken_confidence REAL,
    lat              REAL,
    lon              REAL,
    place            TEXT,                       -- "City, Country"
    width            INTEGER,
    height           INTEGER,
    orientation      INTEGER,
    duration_s       REAL,
    camera           TEXT,
    lens             TEXT,
    rating           INTEGER,
    title            TEXT,
    facts            TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(facts)),
    found_at         TEXT NOT NULL,
    placed_at        TEXT,
    updated_at       TEXT NOT NULL
) STRICT;
-- A content is kept once per owner; sidecars may repeat, they belong to different bundles.
CREATE UNIQUE INDEX media_files_content ON media_files (owner_id, sha256)
    WHERE sha256 IS NOT NULL AND state IN ('studied', 'placing', 'placed', 'done', 'missing')
      AND category <> 'sidecar';
CREATE INDEX media_files_sha256 ON media_files (sha256) WHERE sha256 IS NOT NULL;
CREATE UNIQUE INDEX media_files_path ON media_files (path)
    WHERE path IS NOT NULL AND state IN ('placing', 'placed', 'done', 'missing');
CREATE UNIQUE INDEX media_files_path_key ON media_files (path_key)
    WHERE path_key IS NOT NULL AND state IN ('placing', 'placed', 'done', 'missing');
CREATE INDEX media_files_source ON media_files (root_id, source_path);
CREATE INDEX media_files_bucket ON media_files (root_id, source_dir, bucket);
CREATE INDEX media_files_content_id ON media_files (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX media_files_size ON media_files (size);
CREATE INDEX media_files_duplicate ON media_files (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX media_files_state ON media_files (state) WHERE state NOT IN ('done', 'duplicate');
CREATE INDEX media_files_bundle ON media_files (bundle_id) WHERE bundle_id IS NOT NULL;
CREATE INDEX media_files_taken ON media_files (owner_id, coalesce(taken_utc, ''), id);

CREATE TABLE stage_results (                      -- nothing is done twice for the same bytes
    sha256  TEXT NOT NULL,
    stage   TEXT NOT NULL,
    version INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'skip', 'reject')),
    facts   TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(facts)),
    at      TEXT NOT NULL,
    PRIMARY KEY (sha256, stage, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE derivatives (                        -- files below cache/, may be gone at any time
    sha256  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    version INTEGER NOT NULL,
    path    TEXT NOT NULL,
    mime    TEXT NOT NULL,
    width   INTEGER NOT NULL,
    height  INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (sha256, kind, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE signatures (                         -- what near-duplicate search compares
    file_id TEXT PRIMARY KEY REFERENCES media_files (id) ON DELETE CASCADE,
    phash   INTEGER NOT NULL,                     -- 64 bits, as signed
    detail  BLOB NOT NULL                         -- for the second look, see codecs/phash
) STRICT, WITHOUT ROWID;

CREATE TABLE similar (                            -- suggestions, never acted on by themselves
    file_id    TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    other_id   TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    distance   INTEGER NOT NULL,
    found_at   TEXT NOT NULL,
    decision   TEXT CHECK (decision IN ('same', 'different')),
    decided_by TEXT,
    PRIMARY KEY (file_id, other_id),
    CHECK (file_id < other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX similar_other ON similar (other_id);

CREATE TABLE processing_jobs (
    id              TEXT PRIMARY KEY,
    job_type        TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('queued', 'running', 'paused', 'done', 'failed',
                        'cancelled', 'undone')),
    progress        REAL NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    file_count      INTEGER NOT NULL DEFAULT 0,
    processed_count INTEGER NOT NULL DEFAULT 0,
    error_count     INTEGER NOT NULL DEFAULT 0,
    started_at      TEXT,
    completed_at    TEXT,
    created_at      TEXT NOT NULL,
    owner_id        TEXT NOT NULL REFERENCES users (id),
    actor           TEXT NOT NULL,
    params          TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(params)),
    error           TEXT
) STRICT;
CREATE INDEX processing_jobs_created ON processing_jobs (created_at);

CREATE TABLE tasks (
    id          TEXT PRIMARY KEY,
    job_id      TEXT REFERENCES processing_jobs (id),
    file_id     TEXT REFERENCES media_files (id) ON DELETE CASCADE,
    owner_id    TEXT NOT NULL REFERENCES users (id),
    kind        TEXT NOT NULL,                    -- 'visit', 'place', later: 'protect', 'offsite' ...
    priority    TEXT NOT NULL CHECK (priority IN ('interactive', 'new', 'backfill')),
    status      TEXT NOT NULL CHECK (status IN ('queued', 'claimed', 'done', 'failed', 'cancelled')),
    attempts    INTEGER NOT NULL DEFAULT 0,       -- counted and committed before work starts
    not_before  TEXT,                             -- retries wait; NULL is ready
    leased_by   TEXT,                             -- boot id of the process that claimed it
    params      TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(params)),
    error_class TEXT,
    error       TEXT,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT;
CREATE INDEX tasks_queue ON tasks (priority, owner_id, id)
    WHERE status = 'queued' AND not_before IS NULL;
CREATE INDEX tasks_waiting ON tasks (not_before) WHERE status = 'queued' AND not_before IS NOT NULL;
CREATE INDEX tasks_claimed ON tasks (leased_by) WHERE status = 'claimed';
CREATE INDEX tasks_job ON tasks (job_id, status);
CREATE UNIQUE INDEX tasks_open ON tasks (file_id, kind) WHERE status IN ('queued', 'claimed');

CREATE TABLE events (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT NOT NULL,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    subject TEXT NOT NULL,
    actor   TEXT NOT NULL,
    data    TEXT NOT NULL CHECK (json_valid(data))
) STRICT;
CREATE INDEX events_subject ON events (subject, seq);

CREATE TABLE receivers (                          -- durable ones: how far each has read the events
    name       TEXT PRIMARY KEY,
    seq        INTEGER NOT NULL,
    updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (                            -- what was done to files, so that it can be undone
    id        TEXT PRIMARY KEY,
    job_id    TEXT NOT NULL REFERENCES processing_jobs (id),
    file_id   TEXT NOT NULL REFERENCES media_files (id),
    action    TEXT NOT NULL CHECK (action IN ('place', 'move', 'trash', 'restore', 'retag')),
    before    TEXT NOT NULL CHECK (json_valid(before)),
    after     TEXT NOT NULL CHECK (json_valid(after)),
    at        TEXT NOT NULL,
    undone_at TEXT
) STRICT;
CREATE INDEX journal_job ON journal (job_id, id);

CREATE TABLE renames (                            -- decided, and perhaps not yet done: redone at start
    file_id   TEXT PRIMARY KEY REFERENCES media_files (id),
    action    TEXT NOT NULL CHECK (action IN ('move', 'trash', 'restore')),
    from_path TEXT NOT NULL,                      -- below the library; of 'restore' below the trash
    to_path   TEXT NOT NULL,                      -- below the library; of 'trash' below the trash
    to_key    TEXT UNIQUE,                        -- keeps the name in the library free; NULL of 'trash'
    details   TEXT NOT NULL CHECK (json_valid(details)), -- what is recorded once it has happened
    at        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE trash (
    id          TEXT PRIMARY KEY,
    file_id     TEXT NOT NULL REFERENCES media_files (id),
    root_id     TEXT NOT NULL REFERENCES roots (id),
    trash_path  TEXT NOT NULL,                    -- below the home's trash folder
    origin_path TEXT NOT NULL,                    -- where it was, below the library
    reason      TEXT NOT NULL,
    actor       TEXT NOT NULL,
    by_person   INTEGER NOT NULL CHECK (by_person IN (0, 1)),
    at          TEXT NOT NULL,
    purge_after TEXT NOT NULL,
    restored_at TEXT,
    purged_at   TEXT
) STRICT;
CREATE UNIQUE INDEX trash_open ON trash (file_id) WHERE restored_at IS NULL AND purged_at IS NULL;

CREATE TABLE tags (
    file_id TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    tag     TEXT NOT NULL,
    source  TEXT NOT NULL,                        -- 'person', 'file', later a model and its version
    PRIMARY KEY (file_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_tag ON tags (tag);
