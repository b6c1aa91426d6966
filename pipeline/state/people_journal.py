"""Decisions about faces and people, with the rows they touched as they were, so that they can be
undone.

A row of the journal holds everything its decision changed and nothing else; taking back the newest
first restores every state in between. Embeddings never get in here.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import Conflict, NotFound
from pipeline.events import PeopleUndone
from pipeline.model import Json, JsonObject
from pipeline.state import audit, people_grouping
from pipeline.state.people import name_key

_PEOPLE = ("name", "consent", "is_hidden", "cover_face_id", "created_at")


@dataclass(frozen=True, slots=True)
class Touched:
    """What a decision is about to change; exclusions as (face, person), `apart` as people pairs."""

    people: tuple[str, ...] = ()
    faces: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision. `summary` says it to a person."""

    id: str
    action: str
    summary: str
    actor: str
    at: str


def images(con: sqlite3.Connection, touched: Touched) -> JsonObject:
    """The rows as they are now, before a decision changes them; None where there is none."""
    faces = _faces(con, touched.faces)
    owners = {str(face[0]) for face in faces.values() if face[0] is not None}
    return {
        "people": _people(con, {*touched.people, *owners}),
        "faces": faces,
        "excluded": [[*pair, _is_excluded(con, *pair)] for pair in touched.excluded],
        "apart": [[*pair, _is_apart(con, *pair)] for pair in touched.apart],
    }


def write(  # noqa: PLR0913 - the columns of a row
    con: sqlite3.Connection,
    owner_id: str,
    action: str,
    summary: str,
    before: JsonObject,
    clock: Clock,
    *,
    actor: str,
) -> str:
    """Remember a decision; its id, to undo it by. Also begins a new epoch for the grouping."""
    now = clock.now()
    entry_id = new_id(now)
    con.execute(
        "INSERT INTO people_journal (id, owner_id, action, summary, before, actor, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (entry_id, owner_id, action, summary, json.dumps(before), actor, timestamp(now)),
    )
    people_grouping.wait(con, before["faces"], before["people"])
    return entry_id


def open_entries(con: sqlite3.Connection, owner_id: str, limit: int = 50) -> list[Entry]:
    """The decisions that can be undone, newest first."""
    rows = con.execute(
        "SELECT id, action, summary, actor, at FROM people_journal"
        " WHERE owner_id = ? AND undone_at IS NULL ORDER BY id DESC LIMIT ?",
        (owner_id, limit),
    )
    return [Entry(**dict(row)) for row in rows]


def undo(
    con: sqlite3.Connection, owner_id: str, entry_id: str | None, clock: Clock, *, actor: str
) -> Entry:
    """Take back one decision, the newest where none is named.

    Raises `NotFound`, and `Conflict` where a later decision about the same faces or people stands
    or somebody else has got the name.
    """
    row = con.execute(
        "SELECT id, action, summary, actor, at, before FROM people_journal WHERE owner_id = ?1"
        " AND undone_at IS NULL AND (?2 IS NULL OR id = ?2) ORDER BY id DESC LIMIT 1",
        (owner_id, entry_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such decision to undo.", hint="darkroom people undo --list")
    before: JsonObject = json.loads(row["before"])
    _refuse_if_built_upon(con, owner_id, row["id"], before)
    at = timestamp(clock.now())
    people_grouping.wait(con, before["faces"], before["people"])  # as it is, and as it was
    _restore(con, owner_id, before)
    _refuse_two_of_a_name(con, owner_id)
    people_grouping.wait(con, before["faces"], before["people"])
    con.execute("UPDATE people_journal SET undone_at = ? WHERE id = ?", (at, row["id"]))
    audit.tell_as(con, actor, PeopleUndone(row["id"], row["action"]), at)
    return Entry(row["id"], row["action"], row["summary"], row["actor"], row["at"])


def forget(con: sqlite3.Connection, person_id: str) -> int:
    """Erase every decision that tells of this person; they cannot be undone any more."""
    return con.execute(
        "DELETE FROM people_journal WHERE EXISTS"
        " (SELECT 1 FROM json_each(before, '$.people') WHERE key = ?)",
        (person_id,),
    ).rowcount


def _refuse_if_built_upon(
    con: sqlite3.Connection, owner_id: str, entry_id: str, before: JsonObject
) -> None:
    rows = con.execute(
        "SELECT summary, before FROM people_journal"
        " WHERE owner_id = ? AND id > ? AND undone_at IS NULL ORDER BY id",
        (owner_id, entry_id),
    )
    for row in rows:
        later: JsonObject = json.loads(row["before"])
        if any(before[kind].keys() & later[kind].keys() for kind in ("faces", "people")):
            raise Conflict(
                f"A later decision builds on this one: {row['summary']}",
                hint="Undo that one first; nothing was changed.",
            )


def _refuse_two_of_a_name(con: sqlite3.Connection, owner_id: str) -> None:
    rows = con.execute(
        "SELECT name FROM people WHERE owner_id = ? AND name IS NOT NULL", (owner_id,)
    )
    names = Counter(name_key(row["name"]) for row in rows)
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise Conflict(
            "Somebody else has that name by now; nothing was changed.",
            hint="Give one of the two another name, then undo.",
        )


# --- rows back as they were --------------------------------------------------------------------


def _restore(con: sqlite3.Connection, owner_id: str, before: JsonObject) -> None:
    kept = {id: image for id, image in before["people"].items() if image is not None}
    for person_id, image in kept.items():
        _put_person(con, owner_id, person_id, image)
    for face_id, (person_id, assigned_by) in before["faces"].items():
        con.execute(
            "UPDATE faces SET person_id = ?1, assigned_by = ?2 WHERE id = ?3 AND is_withheld = 0"
            " AND (?1 IS NULL OR EXISTS (SELECT 1 FROM people WHERE id = ?1 AND consent <> 'no'))",
            (person_id, assigned_by, face_id),
        )
    for face_id, person_id, was_there in before["excluded"]:
        set_excluded(con, face_id, person_id, is_there=was_there)
    for one_id, other_id, was_there in before["apart"]:
        set_apart(con, one_id, other_id, is_there=was_there)
    _drop_people(con, [id for id in before["people"] if id not in kept])


def _put_person(con: sqlite3.Connection, owner_id: str, person_id: str, image: JsonObject) -> None:
    con.execute(
        "INSERT INTO people (id, owner_id, name, consent, is_hidden, cover_face_id, created_at)"
        " VALUES (?, ?, ?, ?, ?, (SELECT id FROM faces WHERE id = ?), ?) ON CONFLICT (id)"
        " DO UPDATE SET name = excluded.name, is_hidden = excluded.is_hidden,"
        "  cover_face_id = excluded.cover_face_id",
        (person_id, owner_id, *(image[column] for column in _PEOPLE)),
    )


def _drop_people(con: sqlite3.Connection, person_ids: Iterable[str]) -> None:
    for person_id in person_ids:
        con.execute(
            "UPDATE faces SET person_id = NULL, assigned_by = NULL,"
            " is_waiting = embedding IS NOT NULL WHERE person_id = ?",
            (person_id,),
        )
        con.execute("DELETE FROM people WHERE id = ?", (person_id,))


def set_excluded(con: sqlite3.Connection, face_id: str, person_id: str, *, is_there: bool) -> None:
    """Note, or forget, that a face is not this person's, where both are still known."""
    if is_there:
        con.execute(
            "INSERT OR IGNORE INTO face_exclusions (face_id, person_id)"
            " SELECT f.id, p.id FROM faces f, people p WHERE f.id = ? AND p.id = ?",
            (face_id, person_id),
        )
    else:
        con.execute(
            "DELETE FROM face_exclusions WHERE face_id = ? AND person_id = ?", (face_id, person_id)
        )


def set_apart(con: sqlite3.Connection, one_id: str, other_id: str, *, is_there: bool) -> None:
    """Note, or forget, that two people are not the same, where both are still known."""
    first, second = sorted((one_id, other_id))
    if is_there:
        con.execute(
            "INSERT OR IGNORE INTO people_apart (one_id, other_id)"
            " SELECT a.id, b.id FROM people a, people b WHERE a.id = ? AND b.id = ?",
            (first, second),
        )
    else:
        con.execute("DELETE FROM people_apart WHERE one_id = ? AND other_id = ?", (first, second))


def _people(con: sqlite3.Connection, person_ids: Iterable[str]) -> dict[str, Json]:
    found: dict[str, Json] = dict.fromkeys(sorted(person_ids))
    rows = con.execute(
        f"SELECT id, {', '.join(_PEOPLE)} FROM people WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(found)),),
    )
    found.update((row["id"], {column: row[column] for column in _PEOPLE}) for row in rows)
    return found


def _faces(con: sqlite3.Connection, face_ids: Iterable[str]) -> dict[str, list[str | None]]:
    rows = con.execute(
        "SELECT id, person_id, assigned_by FROM faces"
        " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json.dumps(sorted(face_ids)),),
    )
    return {row["id"]: [row["person_id"], row["assigned_by"]] for row in rows}


def _is_excluded(con: sqlite3.Connection, face_id: str, person_id: str) -> bool:
    row = con.execute(
        "SELECT 1 FROM face_exclusions WHERE face_id = ? AND person_id = ?", (face_id, person_id)
    ).fetchone()
    return row is not None


def _is_apart(con: sqlite3.Connection, one_id: str, other_id: str) -> bool:
    row = con.execute(
        "SELECT 1 FROM people_apart WHERE one_id = ? AND other_id = ?",
        sorted((one_id, other_id)),
    ).fetchone()
    return row is not None
