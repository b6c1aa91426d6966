"""Consent, and what is erased where there is none: the numbers by which faces are recognised.

Somebody who says no: their faces keep their boxes, lose embedding and person, and are never
grouped or named again. A household that switches recognition off: all embeddings go, and with them
everything that only the grouping said; what persons said stays. Embeddings lie in two places, the
faces and the remembered results of their stage, and both are cleared. Rows cleared may stay in the
file's bytes until it is written anew; `must_rewrite` remembers that over a crash.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from pipeline.clock import Clock, timestamp
from pipeline.events import PersonConsented, RecognitionTurnedOff, RecognitionTurnedOn
from pipeline.state import (
    audit,
    faces_remembered,
    people,
    people_grouping,
    people_journal,
    settings,
)
from pipeline.state.faces import RECOGNITION, group_anew, next_epoch, recognition_is_on
from pipeline.state.faces_remembered import Box, has_table
from pipeline.state.people_decisions import By

REWRITE = "people.rewrite"  # setting: bytes of what was erased may still lie in the file


def turn_off(con: sqlite3.Connection, clock: Clock, *, actor: str) -> int:
    """No face is recognised any more; how many embeddings that erased."""
    erased = erase_all(con)
    settings.put(con, REWRITE, True)
    next_epoch(con)
    at = timestamp(clock.now())
    audit.tell_as(con, actor, RecognitionTurnedOff("recognition", erased), at)
    return erased


def turn_on(con: sqlite3.Connection, clock: Clock, *, actor: str) -> int:
    """Faces may be recognised from now on; how many files must be looked at again for that."""
    settings.put(con, RECOGNITION, True)
    behind = faces_remembered.forget_bare(con)
    at = timestamp(clock.now())
    audit.tell_as(con, actor, RecognitionTurnedOn("recognition"), at)
    return behind


def consent(con: sqlite3.Connection, by: By, person_id: str, answer: str) -> int:
    """Note whether somebody may be recognised; with "no" how many faces that cleared.

    A "no" cannot be undone, and older decisions about this person neither. Raises `NotFound`.
    """
    was = {"consent": people.one(con, by.owner_id, person_id).consent}
    told, at = PersonConsented(person_id, answer), timestamp(by.clock.now())
    audit.tell_as(con, by.actor, told, at, before=was, after={"consent": answer})
    if answer != "no":
        con.execute("UPDATE people SET consent = ? WHERE id = ?", (answer, person_id))
        next_epoch(con)
        return 0
    count = people.one(con, by.owner_id, person_id).faces
    erase_person(con, person_id)
    settings.put(con, REWRITE, True)
    group_anew(con, by.owner_id)
    return count


def must_rewrite(con: sqlite3.Connection) -> bool:
    """May bytes of what was erased still lie in the file?"""
    return settings.get(con, REWRITE) is True


def rewritten(con: sqlite3.Connection) -> None:
    """The file was written anew."""
    settings.remove(con, REWRITE)


def owners_purged(con: sqlite3.Connection) -> list[str]:
    """Who has faces of files that are no more."""
    rows = con.execute(
        "SELECT DISTINCT f.owner_id FROM media_files m JOIN faces f ON f.file_id = m.id"
        " WHERE m.state = 'purged'"
    )
    return [row["owner_id"] for row in rows]


def forget_purged(con: sqlite3.Connection) -> int:
    """Erase the faces of files that are no more, and what was remembered of their content."""
    gone = owners_purged(con)
    faces_remembered.forget_purged(con)
    count = con.execute(
        "DELETE FROM faces WHERE file_id IN (SELECT id FROM media_files WHERE state = 'purged')"
    ).rowcount
    for owner_id in gone:
        group_anew(con, owner_id)
    return count


# --- also for snapshots, which may be older than these tables ----------------------------------


@dataclass(frozen=True, slots=True)
class Unwanted:
    """What must not be found in any copy of the state."""

    is_all: bool  # recognition is off
    people: tuple[str, ...]  # who said no
    faces: tuple[str, ...]  # theirs


def unwanted(con: sqlite3.Connection) -> Unwanted:
    """What the state as it is now does not want to be found."""
    people_ids = con.execute("SELECT id FROM people WHERE consent = 'no' ORDER BY id")
    face_ids = con.execute("SELECT id FROM faces WHERE is_withheld = 1 ORDER BY id")
    return Unwanted(
        is_all=not recognition_is_on(con),
        people=tuple(row["id"] for row in people_ids),
        faces=tuple(row["id"] for row in face_ids),
    )


def erase(con: sqlite3.Connection, unwanted: Unwanted) -> None:
    """Clear in this copy of the state what is not wanted."""
    if unwanted.is_all:
        erase_all(con)
    if has_table(con, "faces"):
        erase_faces(con, unwanted.faces)
        for person_id in unwanted.people:
            erase_person(con, person_id)


def erase_all(con: sqlite3.Connection) -> int:
    """Clear every embedding and switch recognition off; how many embeddings there were."""
    settings.put(con, RECOGNITION, False)
    faces_remembered.strip_all(con)
    if not has_table(con, "faces"):
        return 0
    count = con.execute("SELECT count(*) FROM faces WHERE embedding IS NOT NULL").fetchone()[0]
    con.execute("DELETE FROM people_questions")
    con.execute("UPDATE faces SET embedding = NULL, embedder = NULL, look = NULL, is_waiting = 0")
    con.execute(
        "UPDATE faces SET person_id = NULL, assigned_by = NULL WHERE assigned_by = 'grouping'"
    )
    for row in con.execute("SELECT DISTINCT owner_id FROM people").fetchall():
        people_grouping.drop_empty(con, row["owner_id"])
    return int(count)


def erase_faces(con: sqlite3.Connection, face_ids: Collection[str]) -> None:
    """Clear these faces for ever: their boxes stay, without a name."""
    ids = json.dumps(sorted(face_ids))
    meant = "IN (SELECT value FROM json_each(?))"
    rows = con.execute(
        "SELECT m.sha256, f.x, f.y, f.w, f.h FROM faces f JOIN media_files m ON m.id = f.file_id"
        f" WHERE f.id {meant}",
        (ids,),
    )
    boxes: dict[str, list[Box]] = {}
    for sha256, x, y, w, h in rows:
        boxes.setdefault(sha256, []).append((x, y, w, h))
    for sha256, theirs in boxes.items():
        faces_remembered.strip_boxes(con, sha256, theirs)
    con.execute(f"DELETE FROM people_questions WHERE one_face {meant}", (ids,))
    con.execute(f"DELETE FROM people_questions WHERE other_face {meant}", (ids,))
    con.execute(f"DELETE FROM face_exclusions WHERE face_id {meant}", (ids,))
    con.execute(f"UPDATE people SET cover_face_id = NULL WHERE cover_face_id {meant}", (ids,))
    con.execute(
        "UPDATE faces SET embedding = NULL, embedder = NULL, person_id = NULL, assigned_by = NULL,"
        f" look = NULL, is_withheld = 1, is_waiting = 0 WHERE id {meant}",
        (ids,),
    )


def erase_person(con: sqlite3.Connection, person_id: str) -> None:
    """Clear all faces of somebody who said no, and everything else that was said of them."""
    rows = con.execute("SELECT id FROM faces WHERE person_id = ?", (person_id,)).fetchall()
    erase_faces(con, [row["id"] for row in rows])
    con.execute("DELETE FROM face_exclusions WHERE person_id = ?", (person_id,))
    con.execute("DELETE FROM people_apart WHERE ? IN (one_id, other_id)", (person_id,))
    con.execute("UPDATE people SET consent = 'no' WHERE id = ?", (person_id,))
    people_journal.forget(con, person_id)
