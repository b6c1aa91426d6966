"""What persons decide about faces and people: names, merges, moves, answers.

Every decision is journaled and can be undone, and grouping never goes against it. Whoever decides
about a group has looked at it: all faces it has then are pinned, so that what was decided does not
turn into something else when more pictures come. Owners decide about their own people only, and
nothing is decided about somebody who said no. All functions answer with the id to undo them by.
"""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import Conflict, Invalid, NotFound
from pipeline.events import (
    CoverChosen,
    Event,
    FacesMoved,
    PeopleMerged,
    PeopleToldApart,
    PersonHidden,
    PersonNamed,
)
from pipeline.model import JsonObject
from pipeline.state import audit, people, people_journal
from pipeline.state.people import Person
from pipeline.state.people_journal import Touched, set_apart, set_excluded

NAME_LIMIT = 100
_Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class By:
    """Who decides: about whose people, as which actor."""

    owner_id: str
    actor: str
    clock: Clock


def name(con: sqlite3.Connection, by: By, person_id: str, wanted: str) -> str:
    """Give a name, or another one.

    Raises `NotFound`, `Invalid` for a name that is none and `Conflict` for one that is taken.
    """
    who = _willing(con, by, person_id)
    wanted = checked_name(wanted)
    _refuse_taken(con, by, wanted, but=person_id)
    before = _images(con, [person_id])
    con.execute("UPDATE people SET name = ? WHERE id = ?", (wanted, person_id))
    _pin(con, person_id)
    said = f"{called(who)} was named {wanted}."
    return _done(con, by, "name", said, before, PersonNamed(person_id))


def merge(con: sqlite3.Connection, by: By, into_id: str, other_id: str) -> str:
    """Say that two are one: all faces are the first one's now. Raises `NotFound`, `Invalid`."""
    into, other = _willing(con, by, into_id), _willing(con, by, other_id)
    if into_id == other_id:
        raise Invalid(f"{called(into)} is one person already.")
    excluded, apart = _excluded_from(con, other_id), _apart_from(con, other_id)
    moved = _faces_of(con, other_id)
    pairs = (*excluded, *((face_id, into_id) for face_id in {*moved, *(f for f, _ in excluded)}))
    thirds = [({one, two} - {other_id}).pop() for one, two in apart]
    parted = (*apart, *(_ordered(into_id, third) for third in thirds if third != into_id))
    before = _images(con, [into_id, other_id], moved, pairs, parted)
    _pin(con, into_id)
    _give(con, moved, into_id)
    for face_id in {face_id for face_id, _ in excluded} - {*_faces_of(con, into_id)}:
        set_excluded(con, face_id, into_id, is_there=True)
    for third in thirds:
        set_apart(con, into_id, third, is_there=third != into_id)
    con.execute(
        "UPDATE people SET name = coalesce(name, ?1), cover_face_id = coalesce(cover_face_id,"
        " (SELECT cover_face_id FROM people WHERE id = ?2)) WHERE id = ?3",
        (other.name, other_id, into_id),
    )
    con.execute("DELETE FROM people WHERE id = ?", (other_id,))
    said = f"{called(other)} was merged into {called(into)}."
    return _done(con, by, "merge", said, before, PeopleMerged(into_id, other_id))


def move(con: sqlite3.Connection, by: By, face_ids: Sequence[str], to_id: str | None) -> str:
    """Give faces to somebody, or with None to somebody new: so a group is split.

    Raises `NotFound` for a face or a person that is not there, `Invalid` for no face at all.
    """
    owners = _owners_of(con, by, face_ids)
    if to_id is not None:
        _willing(con, by, to_id)
    target = to_id or new_id(by.clock.now())
    excluded = tuple((face_id, target) for face_id in owners)
    before = _images(con, [target, *owners.values()], list(owners), excluded=excluded)
    for person_id in {target, *owners.values()} - {None}:
        _pin(con, str(person_id))
    if to_id is None:
        _add(con, by, target)
    _give(con, owners, target)
    said = (
        f"{_faces(len(owners))} moved to {'somebody new' if to_id is None else 'another person'}."
    )
    moved = FacesMoved(target, tuple(owners), target)
    return _done(con, by, "split" if to_id is None else "move", said, before, moved)


def exclude(con: sqlite3.Connection, by: By, face_ids: Sequence[str]) -> str:
    """Say of faces that they are not who they were taken for, whoever else they may be.

    Raises `NotFound` for a face that is not there, `Invalid` for one that belongs to nobody.
    """
    owners = _owners_of(con, by, face_ids)
    if None in owners.values():
        raise Invalid("A face that belongs to nobody cannot be taken from anybody.")
    pairs = tuple((face_id, str(person_id)) for face_id, person_id in owners.items())
    before = _images(con, owners.values(), list(owners), excluded=pairs)
    for person_id in {person_id for _, person_id in pairs}:
        _pin(con, person_id)
    for face_id, person_id in pairs:
        set_excluded(con, face_id, person_id, is_there=True)
        con.execute(
            "UPDATE faces SET person_id = NULL, assigned_by = NULL WHERE id = ?", (face_id,)
        )
    said = f"{_faces(len(pairs))} belong{'s' if len(pairs) == 1 else ''} to somebody else."
    moved = FacesMoved(pairs[0][1], tuple(owners), None)
    return _done(con, by, "not", said, before, moved)


def answer(
    con: sqlite3.Connection, by: By, one_face: str, other_face: str, *, is_same: bool
) -> str:
    """Say whether two faces, and so the people they belong to, are the same.

    Raises `NotFound` for a face that is not there, `Invalid` where nothing is left to be said.
    """
    owners = _owners_of(con, by, [one_face, other_face])
    known = sorted({person_id for person_id in owners.values() if person_id is not None})
    if len(owners) < 2 or (len(known) == 1 and None not in owners.values()):
        raise Invalid("Both faces belong to one person already.")
    if is_same and len(known) == 2:
        into, other = sorted(known, key=lambda id: _rank(people.one(con, by.owner_id, id)))
        return merge(con, by, into, other)
    if is_same:
        return move(con, by, list(owners), known[0] if known else None)
    return _tell_apart(con, by, owners, known)


def hide(con: sqlite3.Connection, by: By, person_id: str, *, is_hidden: bool) -> str:
    """Show somebody no more, or again: strangers on holiday pictures. Raises `NotFound`."""
    who = _willing(con, by, person_id)
    before = _images(con, [person_id])
    con.execute("UPDATE people SET is_hidden = ? WHERE id = ?", (int(is_hidden), person_id))
    _pin(con, person_id)
    said = f"{called(who)} was {'hidden' if is_hidden else 'shown again'}."
    return _done(con, by, "hide", said, before, PersonHidden(person_id, is_hidden))


def cover(con: sqlite3.Connection, by: By, person_id: str, face_id: str) -> str:
    """Choose the face that somebody is shown by. Raises `NotFound`, and `Invalid` where the face
    is somebody else's."""
    who = _willing(con, by, person_id)
    if _owners_of(con, by, [face_id])[face_id] != person_id:
        raise Invalid(
            f"That face is not one of {called(who)}.",
            hint="darkroom people show lists somebody's faces.",
        )
    before = _images(con, [person_id])
    con.execute("UPDATE people SET cover_face_id = ? WHERE id = ?", (face_id, person_id))
    _pin(con, person_id)
    said = f"{called(who)} got another cover."
    return _done(con, by, "cover", said, before, CoverChosen(person_id, face_id))


def checked_name(wanted: str) -> str:
    """A name as it is kept. Raises `Invalid` for none, one too long, or one nobody could read."""
    text = unicodedata.normalize("NFC", " ".join(wanted.split()))
    if not text or len(text) > NAME_LIMIT or not text.isprintable():
        raise Invalid(
            f"{wanted[:NAME_LIMIT]!r} is no name.",
            hint=f"Give one to {NAME_LIMIT} letters, without control characters.",
        )
    return text


def called(who: Person) -> str:
    """Somebody in a sentence."""
    return who.name or f"A group of {_faces(who.faces)}"


# --- what decisions are made of ----------------------------------------------------------------


def _tell_apart(
    con: sqlite3.Connection, by: By, owners: dict[str, str | None], known: Sequence[str]
) -> str:
    alone = [face_id for face_id, person_id in owners.items() if person_id is None]
    if len(alone) == 2:  # nobody yet: each becomes somebody, so that they can be told apart
        raise Invalid("Neither face belongs to anybody yet.", hint="Give one of them a person.")
    excluded = tuple((face_id, known[0]) for face_id in alone)
    apart = () if alone else (_ordered(*known),)
    before = _images(con, known, alone, excluded=excluded, apart=apart)
    for person_id in known:
        _pin(con, person_id)
    for pair in excluded:
        set_excluded(con, *pair, is_there=True)
    for one, two in apart:
        set_apart(con, one, two, is_there=True)
    told = PeopleToldApart(known[0], known[-1] if apart else alone[0])
    return _done(con, by, "apart", "Two faces are not the same person.", before, told)


def _done(
    con: sqlite3.Connection, by: By, action: str, said: str, before: JsonObject, event: Event
) -> str:
    entry_id = people_journal.write(
        con, by.owner_id, action, said, before, by.clock, actor=by.actor
    )
    # Names stay out: who wants to be forgotten must be, and no line can be taken back.
    told: JsonObject = {**event.data(), "decision": entry_id}
    audit.tell_as(con, by.actor, event, timestamp(by.clock.now()), after=told)
    return entry_id


def _images(
    con: sqlite3.Connection,
    person_ids: Iterable[str | None],
    face_ids: Sequence[str] = (),
    excluded: _Pairs = (),
    apart: _Pairs = (),
) -> JsonObject:
    """What the rows were: of these people, of those of their faces that a decision pins, and of
    these faces."""
    touched = tuple(sorted({one for one in person_ids if one is not None}))
    free = (face_id for one in touched for face_id in _faces_of(con, one, only="grouping"))
    faces = tuple(sorted({*face_ids, *free}))
    return people_journal.images(con, Touched(touched, faces, excluded, apart))


def _willing(con: sqlite3.Connection, by: By, person_id: str) -> Person:
    who = people.one(con, by.owner_id, person_id)
    if who.consent == "no":
        raise Invalid(
            f"{called(who)} does not want to be recognised.",
            hint="darkroom people consent changes that.",
        )
    return who


def _refuse_taken(con: sqlite3.Connection, by: By, wanted: str, *, but: str) -> None:
    rows = con.execute(
        "SELECT name FROM people WHERE owner_id = ? AND id <> ? AND name IS NOT NULL",
        (by.owner_id, but),
    )
    key = people.name_key(wanted)
    if any(people.name_key(row["name"]) == key for row in rows):
        raise Conflict(
            f"There is a {wanted} already.",
            hint="Merge the two if they are one person, or choose another name.",
        )


def _owners_of(con: sqlite3.Connection, by: By, face_ids: Sequence[str]) -> dict[str, str | None]:
    """Whose each of the owner's faces is, in order. Raises `NotFound`, `Invalid`."""
    rows = con.execute(
        "SELECT id, person_id FROM faces WHERE owner_id = ? AND is_withheld = 0"
        " AND id IN (SELECT value FROM json_each(?))",
        (by.owner_id, json.dumps(list(face_ids))),
    )
    found = {row["id"]: row["person_id"] for row in rows}
    missing = next((face_id for face_id in face_ids if face_id not in found), None)
    if missing is not None:
        raise NotFound(f"There is no face {missing!r}.", hint="darkroom people show lists faces.")
    if not found:
        raise Invalid("No face was named.")
    return {face_id: found[face_id] for face_id in face_ids}


def _add(con: sqlite3.Connection, by: By, person_id: str) -> None:
    con.execute(
        "INSERT INTO people (id, owner_id, created_at) VALUES (?, ?, ?)",
        (person_id, by.owner_id, timestamp(by.clock.now())),
    )


def _give(con: sqlite3.Connection, face_ids: Collection[str], to: str) -> None:
    """These faces are this person's, because somebody says so."""
    con.executemany(
        "UPDATE faces SET person_id = ?, assigned_by = 'person' WHERE id = ?",
        [(to, face_id) for face_id in face_ids],
    )
    con.executemany(
        "DELETE FROM face_exclusions WHERE face_id = ? AND person_id = ?",
        [(face_id, to) for face_id in face_ids],
    )


def _pin(con: sqlite3.Connection, person_id: str) -> None:
    con.execute("UPDATE faces SET assigned_by = 'person' WHERE person_id = ?", (person_id,))


def _faces_of(con: sqlite3.Connection, person_id: str, only: str | None = None) -> list[str]:
    rows = con.execute(
        "SELECT id FROM faces WHERE person_id = ?1 AND (?2 IS NULL OR assigned_by = ?2)"
        " ORDER BY id",
        (person_id, only),
    )
    return [row["id"] for row in rows]


def _excluded_from(con: sqlite3.Connection, person_id: str) -> _Pairs:
    rows = con.execute(
        "SELECT face_id, person_id FROM face_exclusions WHERE person_id = ?", (person_id,)
    )
    return tuple((row["face_id"], row["person_id"]) for row in rows)


def _apart_from(con: sqlite3.Connection, person_id: str) -> _Pairs:
    rows = con.execute(
        "SELECT one_id, other_id FROM people_apart WHERE ?1 IN (one_id, other_id)", (person_id,)
    )
    return tuple((row["one_id"], row["other_id"]) for row in rows)


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _rank(who: Person) -> tuple[bool, int, str]:
    """Whom another one is merged into: a name goes first, then many faces."""
    return (who.name is None, -who.faces, who.id)


def _faces(count: int) -> str:
    return f"{count} face{'' if count == 1 else 's'}"
