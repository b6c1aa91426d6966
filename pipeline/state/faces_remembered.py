"""Embeddings in what is remembered of a stage, where the same numbers lie once more.

They lie there so that the same content is not looked at twice; whoever erases a face's embedding
erases it here too.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence

from pipeline.model import Json

STAGE = "faces"
SAME_BOX = 0.3  # overlap (intersection over union) of two boxes of one face in one picture
Box = tuple[float, float, float, float]
_IsMeant = Callable[[dict[str, Json]], bool]


def overlap_of(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def strip_all(con: sqlite3.Connection) -> None:
    """Take every embedding out."""
    _strip(con, None, lambda face: True)


def strip_content(con: sqlite3.Connection, sha256: str) -> None:
    """Take every embedding of one content out."""
    _strip(con, sha256, lambda face: True)


def strip_boxes(con: sqlite3.Connection, sha256: str, boxes: Sequence[Box]) -> None:
    """Take the embeddings of these faces of one content out."""
    _strip(con, sha256, functools.partial(_is_one_of, boxes))


def forget_bare(con: sqlite3.Connection) -> int:
    """Forget what has no embeddings, so that it is asked again at the next visit; how much."""
    bare = (
        'stage = ? AND facts NOT LIKE \'%"embedding": "%\''
        " AND outcome = 'done' AND json_array_length(facts, '$.faces') > 0"
    )
    con.execute(
        "UPDATE media_files SET study_mark = NULL WHERE sha256 IN"
        f" (SELECT sha256 FROM stage_results WHERE {bare})",
        (STAGE,),
    )
    return con.execute(f"DELETE FROM stage_results WHERE {bare}", (STAGE,)).rowcount


def forget_purged(con: sqlite3.Connection) -> None:
    """Forget what was found in contents that only purged files had."""
    con.execute(
        "DELETE FROM stage_results WHERE stage = ? AND sha256 IN"
        " (SELECT sha256 FROM media_files WHERE state = 'purged') AND sha256 NOT IN"
        " (SELECT sha256 FROM media_files WHERE state <> 'purged' AND sha256 IS NOT NULL)",
        (STAGE,),
    )


def _strip(con: sqlite3.Connection, sha256: str | None, is_meant: _IsMeant) -> None:
    _strip_results(con, sha256, is_meant)
    if has_table(con, "ai_analysis"):
        _strip_analyses(con, sha256, is_meant)


def _strip_results(con: sqlite3.Connection, sha256: str | None, is_meant: _IsMeant) -> None:
    rows = con.execute(
        "SELECT sha256, stage, version, facts FROM stage_results"
        " WHERE stage = ?1 AND (?2 IS NULL OR sha256 = ?2) AND facts LIKE '%\"embedding\"%'",
        (STAGE, sha256),
    ).fetchall()
    for content, stage, version, text in rows:
        facts = json.loads(text)
        if _clear(facts.get("faces") or (), is_meant):
            con.execute(
                "UPDATE stage_results SET facts = ? WHERE sha256 = ? AND stage = ? AND version = ?",
                (json.dumps(facts), content, stage, version),
            )


def _strip_analyses(con: sqlite3.Connection, sha256: str | None, is_meant: _IsMeant) -> None:
    rows = con.execute(
        "SELECT a.id, a.results FROM ai_analysis a JOIN media_files m ON m.id = a.file_id"
        " WHERE a.analysis_type = ?1 AND (?2 IS NULL OR m.sha256 = ?2)"
        " AND a.results LIKE '%\"embedding\"%'",
        (STAGE, sha256),
    ).fetchall()
    for analysis_id, text in rows:
        results = json.loads(text)
        if _clear(results.get("faces") or (), is_meant):
            con.execute(
                "UPDATE ai_analysis SET results = ? WHERE id = ?",
                (json.dumps(results), analysis_id),
            )


def _clear(faces: Iterable[Json], is_meant: _IsMeant) -> bool:
    """Take the embedding out of the faces meant; was there one?"""
    meant = [f for f in faces if isinstance(f, dict) and "embedding" in f and is_meant(f)]
    for face in meant:
        del face["embedding"]
    return bool(meant)


def _is_one_of(boxes: Iterable[Box], face: dict[str, Json]) -> bool:
    box = face["box"]
    return any(overlap_of((box[0], box[1], box[2], box[3]), one) >= SAME_BOX for one in boxes)


def has_table(con: sqlite3.Connection, table: str) -> bool:
    """Is this database new enough to have it? A snapshot may not be."""
    row = con.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).fetchone()
    return row is not None
