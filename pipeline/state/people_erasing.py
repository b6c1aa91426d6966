"""Consent, and what is erased where there is none: the numbers by which faces are recognised.

Somebody who says no: their faces keep their boxes, lose embedding and person, and are never
grouped or named again. A household that switches recognition off: all embeddings go, and with them
everything that only the grouping said; what persons said stays. Embeddings lie in two places, the
faces and the remembered results of their stage, and both are cleared. Rows cleared may stay in the
file's bytes until it is written anew; `must_rewrite` remembers that over a crash.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable

from pipeline.clock import Clock, timestamp
from pipeline.events import PersonConsented, RecognitionTurnedOff, RecognitionTurnedOn
from pipeline.model import Json
from pipeline.state import events, people, people_grouping, people_journal, settings
from pipeline.state.faces import RECOGNITION, SAME_BOX, Box, group_anew, overlap_of
from pipeline.state.people_decisions import By

STAGE = "faces"
REWRITE = "people.rewrite"  # setting: bytes of what was erased may still lie in the file
_Strip = Callable[[dict[str, Json]], bool]


def turn_off(con: sqlite3.Connection, clock: Clock, *, actor: str) -> int:
    """No face is recognised any more; how many embeddings that erased."""
    erased = erase_all(con)
    settings.put(con, REWRITE, True)
    people_grouping.next_epoch(con)
    at = timestamp(clock.now())
    events.append(con, RecognitionTurnedOff("recognition", erased), actor=actor, at=at)
    return erased


def turn_on(con: sqlite3.Connection, clock: Clock, *, actor: str) -> int:
    """Faces may be recognised from now on; how many files must be looked at again for that."""
    settings.put(con, RECOGNITION, True)
    con.execute(
        "UPDATE media_files SET study_mark = NULL WHERE sha256 IN (SELECT sha256 FROM"
        " stage_results WHERE stage = ?1 AND facts NOT LIKE '%\"embedding\"%')",
        (STAGE,),
    )
    behind = con.execute(
        "DELETE FROM stage_results WHERE stage = ? AND facts NOT LIKE '%\"embedding\"%'", (STAGE,)
    ).rowcount
    at = timestamp(clock.now())
    events.append(con, RecognitionTurnedOn("recognition"), actor=actor, at=at)
    return behind


def consent(con: sqlite3.Connection, by: By, person_id: str, answer: str) -> list[str]:
    """Note whether somebody may be recognised; with "no" the ids of the faces that were cleared.

    A "no" cannot be undone, and older decisions about this person neither. Raises `NotFound`.
    """
    people.one(con, by.owner_id, person_id)
    told = PersonConsented(person_id, answer)
    events.append(con, told, actor=by.actor, at=timestamp(by.clock.now()))
    if answer != "no":
        con.execute("UPDATE people SET consent = ? WHERE id = ?", (answer, person_id))
        people_grouping.next_epoch(con)
        return []
    rows = con.execute("SELECT id FROM faces WHERE person_id = ?", (person_id,)).fetchall()
    faces = [row["id"] for row in rows]
    erase_person(con, person_id, faces)
    people_journal.forget(con, by.owner_id, person_id)
    settings.put(con, REWRITE, True)
    group_anew(con, by.owner_id)
    people_grouping.next_epoch(con)
    return faces


def must_rewrite(con: sqlite3.Connection) -> bool:
    """May bytes of what was erased still lie in the file?"""
    return settings.get(con, REWRITE) is True


def rewritten(con: sqlite3.Connection) -> None:
    """The file was written anew."""
    settings.remove(con, REWRITE)


def forget_purged(con: sqlite3.Connection) -> int:
    """Erase the faces of files that are no more, and what was remembered of their content."""
    gone = con.execute(
        "SELECT DISTINCT f.owner_id FROM faces f JOIN media_files m ON m.id = f.file_id"
        " WHERE m.state = 'purged'"
    ).fetchall()
    if not gone:
        return 0
    con.execute(
        "DELETE FROM stage_results WHERE stage = ? AND sha256 IN"
        " (SELECT sha256 FROM media_files WHERE state = 'purged') AND sha256 NOT IN"
        " (SELECT sha256 FROM media_files WHERE state <> 'purged' AND sha256 IS NOT NULL)",
        (STAGE,),
    )
    count = con.execute(
        "DELETE FROM faces WHERE file_id IN (SELECT id FROM media_files WHERE state = 'purged')"
    ).rowcount
    for row in gone:
        group_anew(con, row["owner_id"])
    return count


# --- also for snapshots, which may be older than these tables ----------------------------------


def erase_all(con: sqlite3.Connection) -> int:
    """Clear every embedding and switch recognition off; how many embeddings there were."""
    settings.put(con, RECOGNITION, False)
    erased = 0
    if _has(con, "faces"):
        erased = con.execute("SELECT count(*) FROM faces WHERE embedding IS NOT NULL").fetchone()[0]
        con.execute("DELETE FROM people_questions")
        con.execute(
            "UPDATE faces SET embedding = NULL, embedder = NULL, look = NULL, is_waiting = 0"
        )
        con.execute(
            "UPDATE faces SET person_id = NULL, assigned_by = NULL WHERE assigned_by = 'grouping'"
        )
        for row in con.execute("SELECT DISTINCT owner_id FROM people").fetchall():
            people_grouping.drop_empty(con, row["owner_id"])
    _strip(con, None, lambda face: True)
    return int(erased)


def erase_person(con: sqlite3.Connection, person_id: str, face_ids: Collection[str]) -> None:
    """Clear these faces for ever, and note that this person said no."""
    if not _has(con, "faces"):
        return
    ids = json.dumps(sorted(face_ids))
    rows = con.execute(
        "SELECT m.sha256, f.x, f.y, f.w, f.h FROM faces f JOIN media_files m ON m.id = f.file_id"
        " WHERE f.id IN (SELECT value FROM json_each(?))",
        (ids,),
    ).fetchall()
    boxes: dict[str, list[Box]] = {}
    for sha256, *box in rows:
        boxes.setdefault(sha256, []).append((box[0], box[1], box[2], box[3]))
    for table in ("people_questions WHERE one_face", "people_questions WHERE other_face"):
        con.execute(f"DELETE FROM {table} IN (SELECT value FROM json_each(?))", (ids,))
    con.execute(
        "DELETE FROM face_exclusions WHERE ?2 = person_id"
        " OR face_id IN (SELECT value FROM json_each(?1))",
        (ids, person_id),
    )
    con.execute("DELETE FROM people_apart WHERE ? IN (one_id, other_id)", (person_id,))
    con.execute(
        "UPDATE faces SET embedding = NULL, embedder = NULL, person_id = NULL, assigned_by = NULL,"
        " look = NULL, is_withheld = 1, is_waiting = 0"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (ids,),
    )
    con.execute("UPDATE people SET consent = 'no', cover_face_id = NULL WHERE id = ?", (person_id,))
    for sha256, theirs in boxes.items():
        _strip(con, sha256, functools.partial(_is_one_of, theirs))


def _strip(con: sqlite3.Connection, sha256: str | None, is_meant: _Strip) -> None:
    """Take embeddings out of what was remembered of one content, or of all."""
    rows = con.execute(
        "SELECT sha256, stage, version, facts FROM stage_results"
        " WHERE stage = ?1 AND (?2 IS NULL OR sha256 = ?2)",
        (STAGE, sha256),
    ).fetchall()
    for content, stage, version, text in rows:
        facts = json.loads(text)
        if _clear(facts.get("faces") or (), is_meant):
            con.execute(
                "UPDATE stage_results SET facts = ? WHERE sha256 = ? AND stage = ? AND version = ?",
                (json.dumps(facts), content, stage, version),
            )
    if _has(con, "ai_analysis"):
        _strip_analyses(con, sha256, is_meant)


def _strip_analyses(con: sqlite3.Connection, sha256: str | None, is_meant: _Strip) -> None:
    rows = con.execute(
        "SELECT a.id, a.results FROM ai_analysis a JOIN media_files m ON m.id = a.file_id"
        " WHERE a.analysis_type = ?1 AND (?2 IS NULL OR m.sha256 = ?2)",
        (STAGE, sha256),
    ).fetchall()
    for analysis_id, text in rows:
        results = json.loads(text)
        if _clear(results.get("faces") or (), is_meant):
            con.execute(
                "UPDATE ai_analysis SET results = ? WHERE id = ?",
                (json.dumps(results), analysis_id),
            )


def _clear(faces: Iterable[Json], is_meant: _Strip) -> bool:
    """Take the embedding out of the faces meant; was there one?"""
    meant = [f for f in faces if isinstance(f, dict) and "embedding" in f and is_meant(f)]
    for face in meant:
        del face["embedding"]
    return bool(meant)


def _is_one_of(boxes: Iterable[Box], face: dict[str, Json]) -> bool:
    box = face["box"]
    return any(overlap_of((box[0], box[1], box[2], box[3]), one) >= SAME_BOX for one in boxes)


def _has(con: sqlite3.Connection, table: str) -> bool:
    row = con.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).fetchone()
    return row is not None
