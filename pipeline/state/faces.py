"""Faces found in files: what a visit told, kept so that what a person decided about them stays.

A face found again keeps its row, its person and its id; boxes tell which one it is. `learn` is
quick and idempotent; who the faces belong to is worked out later (`people_grouping`). The numbers
by which faces are compared are kept here and, until erased, in the results of the stage.
"""

from __future__ import annotations

import base64
import binascii
import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.clock import new_id
from pipeline.model import Json, JsonObject
from pipeline.state import faces_remembered, settings
from pipeline.state.faces_remembered import SAME_BOX, Box, overlap_of

RECOGNITION = "people.recognition"  # setting: False when a household does not want it
EPOCH = "people.epoch"  # setting
REGROUP = "people.regroup"  # setting, by owner: all of their faces are to be grouped anew
_MOST_FACES = 1_000  # of one file; a crowd beyond that is no album of people


@dataclass(frozen=True, slots=True)
class Found:
    """One face as the stage told it; `box` is x, y, w, h in fractions of the upright picture."""

    box: Box
    score: float
    sharpness: float
    embedding: bytes | None  # float16, little-endian
    embedder: str | None


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a file. `by_person` says that somebody decided whose it is."""

    id: str
    file_id: str
    box: Box
    score: float
    sharpness: float
    person_id: str | None
    by_person: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    """A face as it stands in the state."""

    id: str
    box: Box
    score: float
    sharpness: float
    embedding: bytes | None
    embedder: str | None
    is_decided: bool
    is_withheld: bool


def recognition_is_on(con: sqlite3.Connection) -> bool:
    """May faces be compared? On, until the household switches it off."""
    return settings.get(con, RECOGNITION) is not False


def count(con: sqlite3.Connection) -> int:
    """How many faces there are."""
    return int(con.execute("SELECT count(*) FROM faces").fetchone()[0])


def learn(con: sqlite3.Connection, owner_id: str, file_id: str, facts: JsonObject, at: str) -> None:
    """Keep the faces that a visit found in a file, in place of those of an earlier visit.

    What persons decided about a face stays with it. The same facts twice change nothing.
    """
    found = told(facts)
    if not recognition_is_on(con):
        found = _unrecognised(con, file_id, found)
    kept = _kept(con, file_id)
    pairs = matched([face.box for face in found], [face.box for face in kept])
    is_changed = False
    for number, face in enumerate(found):
        if number in pairs:
            is_changed |= _renew(con, kept[pairs[number]], face)
        else:
            _add(con, owner_id, file_id, face, at)
    gone = [face for number, face in enumerate(kept) if number not in pairs.values()]
    is_changed |= _drop(con, [face.id for face in gone if not face.is_decided])
    if is_changed:
        group_anew(con, owner_id)


def of_file(con: sqlite3.Connection, owner_id: str, file_id: str) -> list[Face]:
    """The faces of one file of this owner, from left to right."""
    rows = con.execute(
        f"SELECT {COLUMNS} FROM faces f WHERE f.file_id = ? AND f.owner_id = ? ORDER BY f.x, f.id",
        (file_id, owner_id),
    )
    return [face_of(row) for row in rows]


COLUMNS = "f.id, f.file_id, f.x, f.y, f.w, f.h, f.score, f.sharpness, f.person_id, f.assigned_by"


def face_of(row: sqlite3.Row) -> Face:
    """A row of `COLUMNS` as a face."""
    return Face(
        row["id"],
        row["file_id"],
        (row["x"], row["y"], row["w"], row["h"]),
        row["score"],
        row["sharpness"],
        row["person_id"],
        row["assigned_by"] == "person",
    )


def group_anew(con: sqlite3.Connection, owner_id: str) -> None:
    """All faces of the owner are to be grouped again: one that others leaned on has changed."""
    settings.put(con, f"{REGROUP}.{owner_id}", True)
    next_epoch(con)


def epoch(con: sqlite3.Connection) -> int:
    """Grows with every change that makes a grouping under way worthless."""
    return int(settings.get(con, EPOCH) or 0)


def next_epoch(con: sqlite3.Connection) -> None:
    """A face or a decision changed: a grouping under way is worked out again."""
    settings.put(con, EPOCH, epoch(con) + 1)


# --- what a stage told -------------------------------------------------------------------------


def told(facts: JsonObject) -> list[Found]:
    """The faces in the facts of the stage; what is no face is left out, it came from a worker."""
    embedder = facts.get("embedder")
    faces = facts.get("faces")
    if not isinstance(faces, list):
        return []
    found = (_found(face, str(embedder) if embedder else None) for face in faces[:_MOST_FACES])
    return [face for face in found if face is not None]


def _found(face: Json, embedder: str | None) -> Found | None:
    try:
        x, y, w, h = (float(part) for part in face["box"])
        score, sharpness = float(face["score"]), float(face.get("sharpness") or 0.0)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None
    if not all(map(math.isfinite, (x, y, w, h, score, sharpness))) or w <= 0 or h <= 0:
        return None
    embedding = _embedding(face.get("embedding")) if embedder else None
    return Found((x, y, w, h), score, sharpness, embedding, embedder if embedding else None)


def _embedding(text: Json) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data and len(data) % 2 == 0 else None


def _unrecognised(con: sqlite3.Connection, file_id: str, found: list[Found]) -> list[Found]:
    """The faces without what a visit told that began before recognition was switched off."""
    if any(face.embedding for face in found):
        row = con.execute("SELECT sha256 FROM media_files WHERE id = ?", (file_id,)).fetchone()
        if row is not None and row["sha256"] is not None:
            faces_remembered.strip_content(con, row["sha256"])
    return [_without_embedding(face) for face in found]


def _without_embedding(face: Found) -> Found:
    return replace(face, embedding=None, embedder=None)


def matched(found: Sequence[Box], kept: Sequence[Box]) -> dict[int, int]:
    """Which found box is which kept one, by number: the greatest overlaps first, each once."""
    overlaps = sorted(
        (
            (-overlap, one, other)
            for one, box in enumerate(found)
            for other, known in enumerate(kept)
            if (overlap := overlap_of(box, known)) >= SAME_BOX
        )
    )
    pairs: dict[int, int] = {}
    for _, one, other in overlaps:
        if one not in pairs and other not in pairs.values():
            pairs[one] = other
    return pairs


# --- rows --------------------------------------------------------------------------------------


def _kept(con: sqlite3.Connection, file_id: str) -> list[_Kept]:
    rows = con.execute(
        "SELECT id, x, y, w, h, score, sharpness, embedding, embedder, is_withheld,"
        " assigned_by IS 'person' OR is_withheld OR EXISTS"
        " (SELECT 1 FROM face_exclusions e WHERE e.face_id = faces.id) AS is_decided"
        " FROM faces WHERE file_id = ? ORDER BY id",
        (file_id,),
    )
    return [
        _Kept(
            row["id"],
            (row["x"], row["y"], row["w"], row["h"]),
            row["score"],
            row["sharpness"],
            row["embedding"],
            row["embedder"],
            bool(row["is_decided"]),
            bool(row["is_withheld"]),
        )
        for row in rows
    ]


def _add(con: sqlite3.Connection, owner_id: str, file_id: str, face: Found, at: str) -> None:
    con.execute(
        "INSERT INTO faces (id, file_id, owner_id, x, y, w, h, score, sharpness, embedding,"
        " embedder, is_waiting) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new_id(datetime.fromisoformat(at)),
            file_id,
            owner_id,
            *face.box,
            face.score,
            face.sharpness,
            face.embedding,
            face.embedder,
            int(face.embedding is not None),
        ),
    )


def _renew(con: sqlite3.Connection, kept: _Kept, face: Found) -> bool:
    """Take over what was found of a face known already; did what others leaned on change?

    A visit without the model for it takes no embedding away.
    """
    if kept.is_withheld:
        face = _without_embedding(face)
    elif face.embedding is None:
        face = replace(face, embedding=kept.embedding, embedder=kept.embedder)
    if face == Found(kept.box, kept.score, kept.sharpness, kept.embedding, kept.embedder):
        return False
    is_changed = (face.embedding, face.embedder) != (kept.embedding, kept.embedder)
    con.execute(
        "UPDATE faces SET x = ?, y = ?, w = ?, h = ?, score = ?, sharpness = ?, embedding = ?,"
        " embedder = ?, is_waiting = ? OR is_waiting WHERE id = ?",
        (
            *face.box,
            face.score,
            face.sharpness,
            face.embedding,
            face.embedder,
            int(is_changed and face.embedding is not None),
            kept.id,
        ),
    )
    return is_changed and kept.embedding is not None


def _drop(con: sqlite3.Connection, face_ids: Iterable[str]) -> bool:
    ids = [(face_id,) for face_id in face_ids]
    con.executemany("DELETE FROM faces WHERE id = ?", ids)
    return bool(ids)
