-- Accounts: how people prove who they are. What only has to be recognised is stored as its SHA-256;
-- what must be read again is sealed under the key file beside the database (access/vault).

ALTER TABLE users ADD COLUMN display_name TEXT;
ALTER TABLE users ADD COLUMN updated_at TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN password_at TEXT;               -- when the password was last changed
ALTER TABLE users ADD COLUMN totp_secret BLOB;               -- sealed
ALTER TABLE users ADD COLUMN totp_since TEXT;                -- NULL: begun, not yet confirmed
ALTER TABLE users ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0; -- of the newest code used

CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL CHECK (kind IN ('browser', 'tokens')),
    token_hash    BLOB UNIQUE,                    -- of the cookie; NULL: known by its tokens
    method        TEXT NOT NULL CHECK (method IN ('password', 'link', 'provider')),
    second_factor INTEGER NOT NULL CHECK (second_factor IN (0, 1)),
    device        TEXT NOT NULL DEFAULT '',
    address       TEXT NOT NULL DEFAULT '',
    created_at    TEXT NOT NULL,
    seen_at       TEXT NOT NULL,
    expires_at    TEXT NOT NULL,
    ended_at      TEXT,
    ended_why     TEXT,
    CHECK ((kind = 'browser') = (token_hash IS NOT NULL))
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, address);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE refresh_tokens (                     -- one family per session; each token works once
    hash       BLOB PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at TEXT NOT NULL,
    used_at    TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE signing_keys (                       -- of access tokens; the newest signs
    number     INTEGER PRIMARY KEY AUTOINCREMENT, -- the highest is the newest, whatever the clock said
    kid        TEXT NOT NULL UNIQUE,
    secret     BLOB NOT NULL,                     -- sealed
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    hint       TEXT NOT NULL,                     -- how the key begins, to know it by
    hash       BLOB NOT NULL UNIQUE,
    scopes     TEXT NOT NULL CHECK (json_valid(scopes)),
    created_at TEXT NOT NULL,
    expires_at TEXT,
    used_at    TEXT,
    used_from  TEXT,
    revoked_at TEXT
) STRICT;
CREATE INDEX api_keys_user ON api_keys (user_id, id);

CREATE TABLE one_time (                           -- links, tickets and states: each works once
    hash       BLOB PRIMARY KEY,
    purpose    TEXT NOT NULL,
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
    data       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data)),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_user ON one_time (user_id, purpose);
CREATE INDEX one_time_expires ON one_time (expires_at);

CREATE TABLE recovery_codes (                     -- instead of the second factor, each once
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    BLOB NOT NULL,
    used_at TEXT,
    PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE identities (                         -- who a login provider says somebody is
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    used_at    TEXT,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE login_throttle (                     -- at most 10,000 rows; survives a restart
    bucket  BLOB PRIMARY KEY,                     -- hash of an address, a name, or both
    free_at REAL NOT NULL                         -- Unix seconds at which it is empty again
) STRICT, WITHOUT ROWID;
CREATE INDEX login_throttle_free_at ON login_throttle (free_at);
