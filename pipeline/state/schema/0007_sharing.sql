-- Albums, teams, grants, shares: who may see what is not theirs. Quotas, and the audit log.

CREATE TABLE teams (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,              -- spelling of case and accents aside
    version    INTEGER NOT NULL DEFAULT 1,        -- counts the changes, for If-Match
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE team_members (
    team_id  TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    added_at TEXT NOT NULL,
    PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_members_user ON team_members (user_id);

CREATE TABLE albums (
    id            TEXT PRIMARY KEY,
    owner_id      TEXT NOT NULL REFERENCES users (id),
    title         TEXT NOT NULL,
    description   TEXT NOT NULL DEFAULT '',
    cover_file_id TEXT REFERENCES media_files (id) ON DELETE SET NULL,  -- chosen by a person
    version       INTEGER NOT NULL DEFAULT 1,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL,
    deleted_at    TEXT                            -- can be taken back for as long as trash
) STRICT;
CREATE INDEX albums_owner ON albums (owner_id);
CREATE INDEX albums_cover ON albums (cover_file_id) WHERE cover_file_id IS NOT NULL;

CREATE TABLE album_activity (                     -- what people did in an album, ids in time's order
    id       TEXT PRIMARY KEY,
    album_id TEXT NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id),
    kind     TEXT NOT NULL CHECK (kind IN ('added', 'commented', 'favourite')),
    file_id  TEXT REFERENCES media_files (id) ON DELETE CASCADE,  -- NULL: the album as a whole
    files    INTEGER NOT NULL DEFAULT 0,          -- of 'added': how many at once
    text     TEXT,                                -- of 'commented'
    at       TEXT NOT NULL,
    CHECK ((kind = 'commented') = (text IS NOT NULL)),
    CHECK (kind <> 'favourite' OR file_id IS NOT NULL)
) STRICT;
CREATE INDEX album_activity_album ON album_activity (album_id, id);
CREATE INDEX album_activity_file ON album_activity (file_id) WHERE file_id IS NOT NULL;
CREATE UNIQUE INDEX album_activity_favourite ON album_activity (album_id, file_id, user_id)
    WHERE kind = 'favourite';

CREATE TABLE album_files (
    album_id TEXT NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    file_id  TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    added_by TEXT NOT NULL REFERENCES users (id),
    added_in TEXT NOT NULL,                       -- the activity it came with
    PRIMARY KEY (album_id, file_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX album_files_file ON album_files (file_id);
CREATE INDEX album_files_added ON album_files (album_id, added_in);

CREATE TABLE album_seen (                         -- how far each person has looked
    album_id TEXT NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    activity TEXT NOT NULL,                       -- all up to this id
    PRIMARY KEY (album_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_permissions (                   -- a look, or a hand, lent to a person or a team
    id            TEXT PRIMARY KEY,
    user_id       TEXT REFERENCES users (id) ON DELETE CASCADE,
    resource_type TEXT NOT NULL CHECK (resource_type IN ('library', 'album', 'file')),
    resource_id   TEXT NOT NULL,                  -- of 'library' the user whose files they are
    permission    TEXT NOT NULL CHECK (permission IN ('view', 'add', 'edit', 'manage')),
    granted_at    TEXT NOT NULL,
    team_id       TEXT REFERENCES teams (id) ON DELETE CASCADE,
    granted_by    TEXT NOT NULL REFERENCES users (id),
    CHECK ((user_id IS NULL) <> (team_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX user_permissions_user ON user_permissions (user_id, resource_type, resource_id)
    WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX user_permissions_team ON user_permissions (team_id, resource_type, resource_id)
    WHERE team_id IS NOT NULL;
CREATE INDEX user_permissions_resource ON user_permissions (resource_type, resource_id);

CREATE TRIGGER user_permissions_album_gone AFTER DELETE ON albums
BEGIN
    DELETE FROM user_permissions WHERE resource_type = 'album' AND resource_id = OLD.id;
END;
CREATE TRIGGER user_permissions_file_gone AFTER DELETE ON media_files
BEGIN
    DELETE FROM user_permissions WHERE resource_type = 'file' AND resource_id = OLD.id;
END;

CREATE TABLE shares (                             -- links for people without an account
    id              TEXT PRIMARY KEY,
    owner_id        TEXT NOT NULL REFERENCES users (id),  -- only files of theirs are ever shown
    album_id        TEXT REFERENCES albums (id) ON DELETE CASCADE,  -- NULL: the files of share_files
    title           TEXT NOT NULL DEFAULT '',
    token_hash      BLOB NOT NULL UNIQUE,         -- the link itself is shown once
    hint            TEXT NOT NULL,                -- how it begins, to know it by
    password_hash   TEXT,
    expires_at      TEXT,
    view_limit      INTEGER CHECK (view_limit > 0),
    views           INTEGER NOT NULL DEFAULT 0,
    download        TEXT NOT NULL CHECK (download IN ('none', 'scrubbed', 'original')),
    shows_details   INTEGER NOT NULL CHECK (shows_details IN (0, 1)),  -- names, dates, cameras, places
    version         INTEGER NOT NULL DEFAULT 1,
    created_by      TEXT NOT NULL REFERENCES users (id),
    created_at      TEXT NOT NULL,
    revoked_at      TEXT,
    last_view_at    TEXT,
    CHECK (view_limit IS NULL OR views <= view_limit)
) STRICT;
CREATE INDEX shares_owner ON shares (owner_id);
CREATE INDEX shares_album ON shares (album_id) WHERE album_id IS NOT NULL;

CREATE TABLE share_files (
    share_id TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    file_id  TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    PRIMARY KEY (share_id, file_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_files_file ON share_files (file_id);

CREATE TABLE share_visits (                       -- a view, once counted, may be looked at for a while
    pass_hash  BLOB PRIMARY KEY,
    share_id   TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX share_visits_share ON share_visits (share_id);
CREATE INDEX share_visits_expires ON share_visits (expires_at);

CREATE TABLE quotas (                             -- NULL is no limit; 0 really is 0
    user_id            TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    soft_bytes         INTEGER CHECK (soft_bytes >= 0),
    hard_bytes         INTEGER CHECK (hard_bytes >= 0),
    soft_files         INTEGER CHECK (soft_files >= 0),
    hard_files         INTEGER CHECK (hard_files >= 0),
    counts_derivatives INTEGER NOT NULL DEFAULT 0 CHECK (counts_derivatives IN (0, 1)),
    used_bytes         INTEGER NOT NULL,          -- of originals, kept by the triggers below
    used_files         INTEGER NOT NULL,
    derived_bytes      INTEGER NOT NULL DEFAULT 0,  -- of what was made of them, as last counted
    derived_at         TEXT,
    warned_at          TEXT,                      -- told that the soft limit is passed
    version            INTEGER NOT NULL DEFAULT 1,
    updated_at         TEXT NOT NULL
) STRICT;

CREATE TABLE quota_reservations (                 -- room promised to uploads that are under way
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    bytes      INTEGER NOT NULL CHECK (bytes >= 0),
    files      INTEGER NOT NULL CHECK (files >= 0),
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX quota_reservations_user ON quota_reservations (user_id);

-- Whose bytes lie in the home counts, the trash included; duplicates are not kept, and what is
-- only indexed lies elsewhere. Where nobody has a quota these cost one look into an empty table.
CREATE TRIGGER quotas_file_new AFTER INSERT ON media_files
    WHEN NEW.take <> 'index' AND NEW.state NOT IN ('duplicate', 'rejected', 'purged')
BEGIN
    UPDATE quotas SET used_bytes = used_bytes + NEW.size, used_files = used_files + 1
        WHERE user_id = NEW.owner_id;
END;
CREATE TRIGGER quotas_file_changed AFTER UPDATE OF state, size, owner_id, take ON media_files
    WHEN OLD.size <> NEW.size OR OLD.owner_id <> NEW.owner_id
        OR (OLD.take <> 'index' AND OLD.state NOT IN ('duplicate', 'rejected', 'purged'))
        <> (NEW.take <> 'index' AND NEW.state NOT IN ('duplicate', 'rejected', 'purged'))
BEGIN
    UPDATE quotas SET used_bytes = used_bytes - OLD.size, used_files = used_files - 1
        WHERE user_id = OLD.owner_id
        AND OLD.take <> 'index' AND OLD.state NOT IN ('duplicate', 'rejected', 'purged');
    UPDATE quotas SET used_bytes = used_bytes + NEW.size, used_files = used_files + 1
        WHERE user_id = NEW.owner_id
        AND NEW.take <> 'index' AND NEW.state NOT IN ('duplicate', 'rejected', 'purged');
END;
CREATE TRIGGER quotas_file_gone AFTER DELETE ON media_files
    WHEN OLD.take <> 'index' AND OLD.state NOT IN ('duplicate', 'rejected', 'purged')
BEGIN
    UPDATE quotas SET used_bytes = used_bytes - OLD.size, used_files = used_files - 1
        WHERE user_id = OLD.owner_id;
END;

CREATE TABLE audit_log (                          -- each line holds the hash of the one before
    seq      INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    user_id  TEXT NOT NULL,                       -- no reference: lines outlive everybody
    role     TEXT NOT NULL,
    surface  TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    before   TEXT CHECK (before IS NULL OR json_valid(before)),
    after    TEXT CHECK (after IS NULL OR json_valid(after)),
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_subject ON audit_log (subject, seq);
CREATE INDEX audit_log_user ON audit_log (user_id, seq);

CREATE TRIGGER audit_log_keeps BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is never changed');
END;
CREATE TRIGGER audit_log_loses_nothing BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'nothing is deleted from the audit log');
END;
CREATE TRIGGER audit_log_grows_at_its_end BEFORE INSERT ON audit_log  -- INSERT OR REPLACE, too
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit_log)
BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows at its end');
END;
