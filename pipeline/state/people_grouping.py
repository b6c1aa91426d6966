"""What the grouping of faces reads and writes: vectors, decisions, groups, questions.

Whoever groups reads everything of one owner, works it out elsewhere, and writes it back; `epoch`
tells whether a person decided something meanwhile, and then nothing is written.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.events import PeopleGrouped
from pipeline.state import events, settings
from pipeline.state.faces import REGROUP, epoch, next_epoch

ACTOR = "grouping"


@dataclass(frozen=True, slots=True)
class GroupedFace:
    """One face that can be compared."""

    id: str
    file_id: str
    embedder: str
    embedding: bytes
    person_id: str | None
    by_person: bool
    look: str | None
    is_waiting: bool
    box: tuple[float, float]  # width and height in pixels
    picture: tuple[int, int] | None  # the upright picture it is in, where known
    quality: float  # how well it is to be seen; for the choice among several
    content: tuple[object, ...]  # sorts alike whatever the order in which faces came


@dataclass(frozen=True, slots=True)
class Album:
    """All faces of one owner that can be compared, and what persons decided."""

    owner_id: str
    epoch: int
    is_anew: bool  # all of them are to be grouped, not only those that wait
    faces: tuple[GroupedFace, ...]
    names: Mapping[str, str | None]  # of all people
    decided: frozenset[str]  # people with a face that a person gave them
    quiet: frozenset[str]  # people nobody is asked about: hidden, or not willing
    excluded: Mapping[str, frozenset[str]]  # by face, the people it does not belong to
    apart: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """Two faces of which a person may say whether they are the same; ids in order."""

    one_face: str
    other_face: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Grouping:
    """What came out: for faces their person (None: of a group too small) and look.

    `fresh` are ids of groups to be made; `questions` replace the ones there were.
    """

    persons: Mapping[str, str | None]
    looks: Mapping[str, str]
    fresh: Sequence[str]
    questions: Sequence[Question]


def owners_waiting(con: sqlite3.Connection) -> list[str]:
    """Whose faces are to be grouped."""
    rows = con.execute(
        "SELECT DISTINCT owner_id FROM faces WHERE is_waiting = 1"
        f" UNION SELECT substr(key, {len(REGROUP) + 2}) FROM settings WHERE key GLOB ?"
        " ORDER BY 1",
        (f"{REGROUP}.*",),
    )
    return [row[0] for row in rows]


def album(con: sqlite3.Connection, owner_id: str) -> Album:
    """Everything that grouping one owner's faces needs."""
    people = con.execute(
        "SELECT id, name, is_hidden OR consent = 'no' AS is_quiet, EXISTS (SELECT 1 FROM faces"
        "  WHERE person_id = people.id AND assigned_by = 'person') AS is_decided"
        " FROM people WHERE owner_id = ?",
        (owner_id,),
    ).fetchall()
    return Album(
        owner_id=owner_id,
        epoch=epoch(con),
        is_anew=settings.get(con, f"{REGROUP}.{owner_id}") is True,
        faces=tuple(_faces(con, owner_id)),
        names={row["id"]: row["name"] for row in people},
        decided=frozenset(row["id"] for row in people if row["is_decided"]),
        quiet=frozenset(row["id"] for row in people if row["is_quiet"]),
        excluded=_excluded(con, owner_id),
        apart=frozenset(
            (row["one_id"], row["other_id"])
            for row in con.execute(
                "SELECT a.one_id, a.other_id FROM people_apart a JOIN people p ON p.id = a.one_id"
                " WHERE p.owner_id = ?",
                (owner_id,),
            )
        ),
    )


def record(con: sqlite3.Connection, seen: Album, found: Grouping, at: str) -> int | None:
    """Write what was worked out from `seen`; how many faces changed hands.

    None, and nothing written, when a person decided something since it was read.
    """
    if epoch(con) != seen.epoch:
        return None
    con.executemany(
        "INSERT INTO people (id, owner_id, created_at) VALUES (?, ?, ?)",
        [(person_id, seen.owner_id, at) for person_id in found.fresh],
    )
    changed = _assign(con, seen, found)
    con.executemany(
        "UPDATE faces SET is_waiting = 0 WHERE id = ?",
        [(face.id,) for face in seen.faces if face.is_waiting],
    )
    settings.remove(con, f"{REGROUP}.{seen.owner_id}")
    drop_empty(con, seen.owner_id)
    _ask(con, seen.owner_id, found.questions)
    if changed:
        told = PeopleGrouped(seen.owner_id, changed)
        events.append(con, told, actor=ACTOR, at=at)
    return changed


def drop_empty(con: sqlite3.Connection, owner_id: str) -> None:
    """Forget groups that have no face any more and that nobody decided about."""
    con.execute(
        "DELETE FROM people WHERE owner_id = ?1 AND name IS NULL AND consent = 'unknown'"
        " AND is_hidden = 0 AND NOT EXISTS (SELECT 1 FROM faces WHERE person_id = people.id)"
        " AND NOT EXISTS (SELECT 1 FROM face_exclusions WHERE person_id = people.id)"
        " AND NOT EXISTS (SELECT 1 FROM people_apart WHERE people.id IN (one_id, other_id))",
        (owner_id,),
    )


def wait(con: sqlite3.Connection, face_ids: Iterable[str], person_ids: Iterable[str]) -> None:
    """These faces, and all of these people, are to be grouped again."""
    con.execute(
        "UPDATE faces SET is_waiting = 1 WHERE embedding IS NOT NULL"
        " AND (id IN (SELECT value FROM json_each(?))"
        " OR person_id IN (SELECT value FROM json_each(?)))",
        (json.dumps(sorted(set(face_ids))), json.dumps(sorted(set(person_ids)))),
    )
    next_epoch(con)


def _faces(con: sqlite3.Connection, owner_id: str) -> Iterator[GroupedFace]:
    rows = con.execute(
        "SELECT f.*, m.sha256, m.width, m.height, m.orientation FROM faces f"
        " JOIN media_files m ON m.id = f.file_id"
        " WHERE f.owner_id = ? AND f.embedding IS NOT NULL",
        (owner_id,),
    )
    for row in rows:
        picture = _upright(row)
        width, height = picture or (0, 0)
        yield GroupedFace(
            id=row["id"],
            file_id=row["file_id"],
            embedder=row["embedder"],
            embedding=row["embedding"],
            person_id=row["person_id"],
            by_person=row["assigned_by"] == "person",
            look=row["look"],
            is_waiting=bool(row["is_waiting"]),
            box=(row["w"] * width, row["h"] * height),
            picture=picture,
            quality=row["score"] * row["w"] * row["h"] * min(row["sharpness"], 1.0),
            content=(row["embedding"], row["sha256"] or "", row["x"], row["y"]),
        )


def _upright(row: sqlite3.Row) -> tuple[int, int] | None:
    width, height = row["width"], row["height"]
    if not width or not height:
        return None
    return (height, width) if (row["orientation"] or 1) >= 5 else (width, height)


def _excluded(con: sqlite3.Connection, owner_id: str) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in con.execute(
        "SELECT e.face_id, e.person_id FROM face_exclusions e JOIN faces f ON f.id = e.face_id"
        " WHERE f.owner_id = ?",
        (owner_id,),
    ):
        found[row["face_id"]].add(row["person_id"])
    return {face_id: frozenset(people) for face_id, people in found.items()}


def _assign(con: sqlite3.Connection, seen: Album, found: Grouping) -> int:
    before = {face.id: face for face in seen.faces}
    changed = [
        (person_id, None if person_id is None else "grouping", face_id)
        for face_id, person_id in found.persons.items()
        if not before[face_id].by_person and before[face_id].person_id != person_id
    ]
    con.executemany(
        "UPDATE faces SET person_id = ?, assigned_by = ? WHERE id = ? AND is_withheld = 0", changed
    )
    con.executemany(
        "UPDATE faces SET look = ? WHERE id = ?",
        [(look, id) for id, look in found.looks.items() if before[id].look != look],
    )
    return len(changed)


def _ask(con: sqlite3.Connection, owner_id: str, questions: Sequence[Question]) -> None:
    con.execute("DELETE FROM people_questions WHERE owner_id = ?", (owner_id,))
    con.executemany(
        "INSERT INTO people_questions (one_face, other_face, owner_id, similarity)"
        " VALUES (?, ?, ?, ?)",
        [(q.one_face, q.other_face, owner_id, q.similarity) for q in questions],
    )
