-- Tags with their origin, and the index that find searches.
--
-- Triggers write down which files have changed; before each commit `state/search.py` brings their
-- tags and their line in the index up to date. Files that were here before are waiting for that. A
-- file on its way into the library has no line yet, only its state: it gets one when it is placed,
-- or wherever else its way ends.

CREATE TABLE tags_with_origin (
    file_id    TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    tag        TEXT NOT NULL,
    source     TEXT NOT NULL CHECK (source IN ('person', 'file', 'model')),
    model      TEXT,                              -- of 'model': which one,
    version    INTEGER,                           -- as part of which version of its stage,
    confidence REAL CHECK (confidence BETWEEN 0 AND 1),
    is_removed INTEGER NOT NULL DEFAULT 0 CHECK (is_removed IN (0, 1)), -- and stays so, see tags.py
    PRIMARY KEY (file_id, tag),
    CHECK (is_removed = 0 OR source = 'person'),
    CHECK (model IS NULL OR source = 'model')
) STRICT, WITHOUT ROWID;
INSERT INTO tags_with_origin (file_id, tag, source)
    SELECT file_id, tag, CASE source WHEN 'person' THEN 'person' ELSE 'file' END FROM tags;
DROP TABLE tags;
ALTER TABLE tags_with_origin RENAME TO tags;
CREATE INDEX tags_tag ON tags (tag, file_id) WHERE is_removed = 0;

CREATE TABLE place_names (                        -- what else people call "City, Country"
    place TEXT PRIMARY KEY,
    names TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE search_files (                       -- what is asked of every hit, in few bytes
    rank       INTEGER PRIMARY KEY,               -- the newest taken has the highest
    file_id    TEXT NOT NULL UNIQUE REFERENCES media_files (id) ON DELETE CASCADE,
    ordered_by TEXT,                              -- the time that the rank was made from
    owner_id   TEXT NOT NULL,
    state      TEXT NOT NULL,
    category   TEXT NOT NULL,                     -- 'unknown' before it is looked at
    taken_at   TEXT,
    rating     INTEGER NOT NULL,                  -- 0: none
    is_damaged INTEGER NOT NULL,
    lat        REAL,
    lon        REAL
) STRICT;

CREATE VIRTUAL TABLE search USING fts5 (          -- rowid is the rank
    name, folder, source, title, people, tags, place, text, camera, lens, moment,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'"
);

CREATE TABLE search_stale (                       -- files whose line is to be written again
    file_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO search_stale SELECT id FROM media_files;

CREATE TRIGGER search_file_gone AFTER DELETE ON search_files BEGIN
    DELETE FROM search WHERE rowid = OLD.rank;
END;
CREATE TRIGGER search_file_new AFTER INSERT ON media_files
    WHEN NEW.state NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_file_coming AFTER INSERT ON media_files
    WHEN NEW.state IN ('found', 'studied', 'placing')
BEGIN                                             -- undated: the last of all
    INSERT INTO search_files (rank, file_id, owner_id, state, category, rating, is_damaged)
        SELECT coalesce(max(rank) + 1, 0), NEW.id, NEW.owner_id, NEW.state,
               coalesce(NEW.category, 'unknown'), 0, 0
        FROM search_files WHERE rank < 1 << 40;
END;
CREATE TRIGGER search_file_come AFTER UPDATE OF state ON media_files
    WHEN OLD.state IN ('found', 'studied', 'placing')
     AND NEW.state NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_file_told AFTER UPDATE OF owner_id, source_path, path, category, facts,
        taken_at, taken_utc, lat, lon, place, camera, lens, rating, title, is_damaged, bundle_id
    ON media_files
    WHEN NEW.state NOT IN ('found', 'studied', 'placing')
     AND (OLD.owner_id, OLD.source_path, OLD.path, OLD.category, OLD.facts, OLD.taken_at,
          OLD.taken_utc, OLD.lat, OLD.lon, OLD.place, OLD.camera, OLD.lens, OLD.rating, OLD.title,
          OLD.is_damaged, OLD.bundle_id)
      IS NOT (NEW.owner_id, NEW.source_path, NEW.path, NEW.category, NEW.facts, NEW.taken_at,
          NEW.taken_utc, NEW.lat, NEW.lon, NEW.place, NEW.camera, NEW.lens, NEW.rating, NEW.title,
          NEW.is_damaged, NEW.bundle_id)
BEGIN
    INSERT INTO search_stale VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_file_state AFTER UPDATE OF state ON media_files
    WHEN OLD.state IS NOT NEW.state
BEGIN
    UPDATE search_files SET state = NEW.state WHERE file_id = NEW.id;
END;
CREATE TRIGGER search_sidecar_told AFTER UPDATE OF facts, bundle_id, bundle_role, state
    ON media_files WHEN 'sidecar' IN (OLD.bundle_role, NEW.bundle_role)
BEGIN
    INSERT INTO search_stale
        SELECT id FROM media_files WHERE bundle_id IN (OLD.bundle_id, NEW.bundle_id)
         AND state NOT IN ('found', 'studied', 'placing')
        ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_tag_new AFTER INSERT ON tags
    WHEN (SELECT state FROM media_files WHERE id = NEW.file_id)
      NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (NEW.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_tag_changed AFTER UPDATE ON tags
    WHEN (SELECT state FROM media_files WHERE id = NEW.file_id)
      NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (NEW.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_tag_gone AFTER DELETE ON tags
    WHEN (SELECT state FROM media_files WHERE id = OLD.file_id)
      NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (OLD.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_analysis_new AFTER INSERT ON ai_analysis
    WHEN (SELECT state FROM media_files WHERE id = NEW.file_id)
      NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (NEW.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_analysis_changed AFTER UPDATE ON ai_analysis
    WHEN (SELECT state FROM media_files WHERE id = NEW.file_id)
      NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (NEW.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_analysis_gone AFTER DELETE ON ai_analysis
    WHEN (SELECT state FROM media_files WHERE id = OLD.file_id)
      NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (OLD.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_face_new AFTER INSERT ON faces
    WHEN NEW.person_id IS NOT NULL
     AND (SELECT state FROM media_files WHERE id = NEW.file_id)
      NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (NEW.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_face_changed AFTER UPDATE OF file_id, person_id ON faces
    WHEN (OLD.file_id, OLD.person_id) IS NOT (NEW.file_id, NEW.person_id)
BEGIN
    INSERT INTO search_stale VALUES (OLD.file_id), (NEW.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_face_gone AFTER DELETE ON faces
    WHEN OLD.person_id IS NOT NULL
     AND (SELECT state FROM media_files WHERE id = OLD.file_id)
      NOT IN ('found', 'studied', 'placing')
BEGIN
    INSERT INTO search_stale VALUES (OLD.file_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_person_changed AFTER UPDATE OF name, consent, is_hidden ON people
    WHEN (OLD.name, OLD.consent, OLD.is_hidden) IS NOT (NEW.name, NEW.consent, NEW.is_hidden)
BEGIN
    INSERT INTO search_stale SELECT file_id FROM faces WHERE person_id = NEW.id
        ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_person_refused AFTER UPDATE OF name, consent, is_hidden ON people
    WHEN (OLD.name, OLD.consent = 'no', OLD.is_hidden) IS NOT
         (NEW.name, NEW.consent = 'no', NEW.is_hidden)
     AND 1 IN (OLD.consent = 'no', OLD.is_hidden, NEW.consent = 'no', NEW.is_hidden)
BEGIN                                             -- the file itself may say who is in it
    INSERT INTO search_stale
        SELECT id FROM media_files WHERE owner_id = NEW.owner_id AND instr(facts, '"people"')
        ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_person_gone AFTER DELETE ON people
    WHEN 1 IN (OLD.consent = 'no', OLD.is_hidden)
BEGIN
    INSERT INTO search_stale
        SELECT id FROM media_files WHERE owner_id = OLD.owner_id AND instr(facts, '"people"')
        ON CONFLICT DO NOTHING;
END;
