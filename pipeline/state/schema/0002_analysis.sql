-- What models saw in a file, and what a person may ask about it later.

CREATE TABLE ai_analysis (
    id               TEXT PRIMARY KEY,
    file_id          TEXT NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    analysis_type    TEXT NOT NULL,               -- the stage: 'objects', 'scene', 'quality' ...
    results          TEXT NOT NULL CHECK (json_valid(results)),
    confidence_score REAL CHECK (confidence_score BETWEEN 0 AND 1),
    created_at       TEXT NOT NULL,
    model            TEXT NOT NULL,               -- which models, in which versions
    version          INTEGER NOT NULL,            -- of the stage
    UNIQUE (file_id, analysis_type)
) STRICT;

-- With which stages, in which versions, a file was studied; another mark means: look again.
ALTER TABLE media_files ADD COLUMN study_mark TEXT;
