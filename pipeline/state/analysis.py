"""What models saw in a file: one row for each file and kind of analysis, replaced when redone.

`results` are the facts of the stage as it told them; `confidence` is how sure it is of the whole,
None where that has no meaning. What is derived from it (tags, people, the search index) is kept
elsewhere.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.clock import new_id
from pipeline.model import Json, JsonObject

_COLUMNS = "a.file_id, a.analysis_type, a.results, a.confidence_score, a.model, a.version,"
_TABLE = "FROM ai_analysis a JOIN media_files f ON f.id = a.file_id"


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one kind of analysis said about one file, by which model, in which version."""

    file_id: str
    analysis_type: str  # the stage: "objects", "scene", "quality" ...
    results: JsonObject
    confidence: float | None
    model: str
    version: int
    at: str


def keep(  # noqa: PLR0913, PLR0917 - the columns of a row, handed on by `Database.write`
    con: sqlite3.Connection,
    file_id: str,
    analysis_type: str,
    results: JsonObject,
    confidence: float | None,
    model: str,
    version: int,
    at: str,
) -> bool:
    """Keep what was seen, in the place of what was seen before.

    False when the same was known already: then the row stays as it is, with its id and time.
    """
    row_id = new_id(datetime.fromisoformat(at))
    changed = con.execute(
        "INSERT INTO ai_analysis (id, file_id, analysis_type, results, confidence_score, model,"
        " version, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (file_id, analysis_type) DO UPDATE SET id = excluded.id,"
        " results = excluded.results, confidence_score = excluded.confidence_score,"
        " model = excluded.model, version = excluded.version, created_at = excluded.created_at"
        " WHERE (results, confidence_score, model, version) IS NOT (excluded.results,"
        "  excluded.confidence_score, excluded.model, excluded.version)",
        (
            row_id,
            file_id,
            analysis_type,
            json.dumps(results, ensure_ascii=False, sort_keys=True),
            confidence,
            model,
            version,
            at,
        ),
    ).rowcount
    return changed == 1


def of(con: sqlite3.Connection, owner_id: str, file_id: str) -> list[Analysis]:
    """Everything models said about one file of this owner, by kind of analysis."""
    rows = con.execute(
        f"SELECT {_COLUMNS} a.created_at AS at {_TABLE}"
        " WHERE a.file_id = ? AND f.owner_id = ? ORDER BY a.analysis_type",
        (file_id, owner_id),
    )
    return [_analysis(row) for row in rows]


def one(
    con: sqlite3.Connection, owner_id: str, file_id: str, analysis_type: str
) -> Analysis | None:
    """What one kind of analysis said about a file of this owner, if it was done."""
    return next((a for a in of(con, owner_id, file_id) if a.analysis_type == analysis_type), None)


def of_many(
    con: sqlite3.Connection, owner_id: str, file_ids: Sequence[str], analysis_type: str
) -> dict[str, Analysis]:
    """What one kind of analysis said about those of the files that are this owner's, by file."""
    rows = con.execute(
        f"SELECT {_COLUMNS} a.created_at AS at {_TABLE}"
        " WHERE f.owner_id = ? AND a.analysis_type = ?"
        " AND a.file_id IN (SELECT value FROM json_each(?))",
        (owner_id, analysis_type, json.dumps(list(file_ids))),
    )
    return {row["file_id"]: _analysis(row) for row in rows}


def forget(con: sqlite3.Connection, analysis_type: str, owner_id: str | None = None) -> int:
    """Erase what one kind of analysis said, of one owner's files or of all; how many rows."""
    return con.execute(
        "DELETE FROM ai_analysis WHERE analysis_type = ?1 AND (?2 IS NULL OR file_id IN"
        " (SELECT id FROM media_files WHERE owner_id = ?2))",
        (analysis_type, owner_id),
    ).rowcount


def _analysis(row: sqlite3.Row) -> Analysis:
    results: Json = json.loads(row["results"])
    return Analysis(
        row["file_id"],
        row["analysis_type"],
        results,
        row["confidence_score"],
        row["model"],
        row["version"],
        row["at"],
    )
