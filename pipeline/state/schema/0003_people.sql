-- Faces, and the people they belong to.

CREATE TABLE people (                             -- made by grouping; a name makes somebody of a group
    id            TEXT PRIMARY KEY,
    owner_id      TEXT NOT NULL REFERENCES users (id),
    name          TEXT,                           -- NULL until a person gave one
    consent       TEXT NOT NULL DEFAULT 'unknown' CHECK (consent IN ('unknown', 'yes', 'no')),
    is_hidden     INTEGER NOT NULL DEFAULT 0 CHECK (is_hidden IN (0, 1)),
    cover_face_id TEXT REFERENCES faces (id) ON DELETE SET NULL,  -- chosen by a person
    created_at    TEXT NOT NULL
) STRICT;
CREATE INDEX people_owner ON people (owner_id);
CREATE INDEX people_cover ON people (cover_face_id) WHERE cover_face_id IS NOT NULL;

CREATE TABLE faces (
    id          TEXT PRIMARY KEY,
    file_id     TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    owner_id    TEXT NOT NULL REFERENCES users (id),
    x           REAL NOT NULL,                    -- the box, in fractions of the upright picture
    y           REAL NOT NULL,
    w           REAL NOT NULL,
    h           REAL NOT NULL,
    score       REAL NOT NULL,                    -- of the detector, 0..1
    sharpness   REAL NOT NULL,
    embedding   BLOB,                             -- float16, little-endian; NULL: none, or erased
    embedder    TEXT,                             -- only those of one embedder are compared
    person_id   TEXT REFERENCES people (id),
    assigned_by TEXT CHECK (assigned_by IN ('person', 'grouping')),
    look        TEXT,                             -- faces so alike that they are one: see grouping
    is_withheld INTEGER NOT NULL DEFAULT 0 CHECK (is_withheld IN (0, 1)),  -- refused: never named
    is_waiting  INTEGER NOT NULL DEFAULT 0 CHECK (is_waiting IN (0, 1)),   -- for the grouping
    CHECK ((person_id IS NULL) = (assigned_by IS NULL)),
    CHECK (is_withheld = 0 OR (person_id IS NULL AND embedding IS NULL))
) STRICT;
CREATE INDEX faces_file ON faces (file_id);
CREATE INDEX faces_person ON faces (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX faces_waiting ON faces (owner_id) WHERE is_waiting = 1;

CREATE TABLE face_exclusions (                    -- "not this person": for ever
    face_id   TEXT NOT NULL REFERENCES faces (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (face_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX face_exclusions_person ON face_exclusions (person_id);

CREATE TABLE people_apart (                       -- "two persons": not asked about again
    one_id   TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    other_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (one_id, other_id),
    CHECK (one_id < other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX people_apart_other ON people_apart (other_id);

CREATE TABLE people_questions (                   -- "the same person?": made anew by each grouping
    one_face   TEXT NOT NULL REFERENCES faces (id) ON DELETE CASCADE,
    other_face TEXT NOT NULL REFERENCES faces (id) ON DELETE CASCADE,
    owner_id   TEXT NOT NULL REFERENCES users (id),
    similarity REAL NOT NULL,
    PRIMARY KEY (one_face, other_face)
) STRICT, WITHOUT ROWID;
CREATE INDEX people_questions_owner ON people_questions (owner_id);
CREATE INDEX people_questions_other ON people_questions (other_face);

CREATE TABLE people_journal (                     -- what persons decided, so that it can be undone
    id        TEXT PRIMARY KEY,
    owner_id  TEXT NOT NULL REFERENCES users (id),
    action    TEXT NOT NULL,
    summary   TEXT NOT NULL,                      -- a sentence for a person
    before    TEXT NOT NULL CHECK (json_valid(before)),  -- the rows it touched, as they were
    actor     TEXT NOT NULL,
    at        TEXT NOT NULL,
    undone_at TEXT
) STRICT;
CREATE INDEX people_journal_open ON people_journal (owner_id, id) WHERE undone_at IS NULL;
