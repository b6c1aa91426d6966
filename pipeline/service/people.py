"""People in the pictures: who there is, what persons decide about them, and whether at all.

Decisions are the actor's about their own people; each answers with the id to undo it by. What is
erased for the sake of privacy is erased at once, in the snapshots too, and cannot be undone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec

from pipeline.errors import Invalid, NotAllowed
from pipeline.library import people_erasing
from pipeline.model import Actor
from pipeline.state import faces
from pipeline.state import people as stored
from pipeline.state import people_decisions as decisions
from pipeline.state import people_erasing as erasing
from pipeline.state import people_journal as journal
from pipeline.state.faces import Face
from pipeline.state.kept import Rows
from pipeline.state.people import Doubt, Person, Portrait
from pipeline.state.people_decisions import By
from pipeline.state.people_journal import Entry

if TYPE_CHECKING:
    from pipeline.core import Core

P = ParamSpec("P")
Consent = Literal["unknown", "yes", "no"]
_TOLD_BY: tuple[Rows, ...] = ("people", "faces", "files")  # what a list of people depends on
_HOUSEHOLD = frozenset({"owner", "admin"})  # who may decide for everybody


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody and the faces they have, the newest taken first."""

    person: Person
    portraits: tuple[Portrait, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased. `left` are files that could not be written anew and may still hold it."""

    faces: int
    left: tuple[Path, ...]


async def listing(actor: Actor, core: Core, *, everybody: bool = False) -> list[Person]:
    """The people there are, the most seen first; with `everybody` also hidden and small ones."""
    return await core.db.read_kept(
        _TOLD_BY, stored.listing, actor.library_id, hidden=everybody, few=everybody
    )


async def show(actor: Actor, core: Core, who: str, limit: int = 1_000) -> Shown:
    """Somebody by name or id, with their faces. Raises `NotFound`."""

    def read(con: sqlite3.Connection) -> Shown:
        person = stored.find(con, actor.library_id, who)
        return Shown(person, tuple(stored.portraits(con, actor.library_id, person.id, limit)))

    return await core.db.read(read)


async def faces_of(actor: Actor, core: Core, file_id: str) -> list[Face]:
    """The faces in one of the actor's files."""
    return await core.db.read(faces.of_file, actor.library_id, file_id)


async def questions(actor: Actor, core: Core, limit: int = 20) -> list[Doubt]:
    """Pairs of faces that may be one person, the likeliest first."""
    return await core.db.read(stored.doubts, actor.library_id, limit)


async def name(actor: Actor, core: Core, who: str, wanted: str) -> str:
    """Give somebody a name. Raises `NotFound`, `Invalid`, and `Conflict` where it is taken."""
    return await _decide(actor, core, _name, who, wanted)


async def merge(actor: Actor, core: Core, into: str, other: str) -> str:
    """Say that two are one person; the first stays. Raises `NotFound`, `Invalid`."""
    return await _decide(actor, core, _merge, into, other)


async def move(actor: Actor, core: Core, faces: Sequence[str], to: str | None) -> str:
    """Give faces to somebody, or with None to somebody new. Raises `NotFound`, `Invalid`."""
    return await _decide(actor, core, _move, faces, to)


async def exclude(actor: Actor, core: Core, faces: Sequence[str]) -> str:
    """Say that faces are not who they were taken for. Raises `NotFound`, `Invalid`."""
    return await _decide(actor, core, decisions.exclude, faces)


async def answer(actor: Actor, core: Core, one: str, other: str, *, is_same: bool) -> str:
    """Say whether two faces are the same person, for ever. Raises `NotFound`, `Invalid`."""
    return await _decide(actor, core, decisions.answer, one, other, is_same=is_same)


async def hide(actor: Actor, core: Core, who: str, *, is_hidden: bool) -> str:
    """Show somebody no more, or again. Raises `NotFound`."""
    return await _decide(actor, core, _hide, who, is_hidden=is_hidden)


async def cover(actor: Actor, core: Core, who: str, face: str) -> str:
    """Choose the face somebody is shown by. Raises `NotFound`, `Invalid` for another's face."""
    return await _decide(actor, core, _cover, who, face)


async def undoable(actor: Actor, core: Core, limit: int = 20) -> list[Entry]:
    """The decisions that can be taken back, newest first."""
    return await core.db.read(journal.open_entries, actor.library_id, limit)


async def undo(actor: Actor, core: Core, entry: str | None = None) -> Entry:
    """Take back a decision, the newest if none is named. Raises `NotFound`, `Conflict`."""
    undone = await core.db.write(
        journal.undo, actor.library_id, entry, core.clock, actor=actor.label
    )
    await _regroup(core)
    return undone


# --- consent -----------------------------------------------------------------------------------


async def consent(actor: Actor, core: Core, who: str, said: Consent) -> Erased:
    """Note whether somebody may be recognised. "no" erases what they were recognised by.

    Raises `NotFound`. What `Erased.left` names may still hold it.
    """
    if said not in ("unknown", "yes", "no"):
        raise Invalid(f"{said!r} is no answer.", hint="Say yes, no or unknown.")
    person = await core.db.read(stored.find, actor.library_id, who)
    count = await core.db.write(erasing.consent, _by(actor, core), person.id, said)
    left = await people_erasing.erase(core.db, core.home) if said == "no" else ()
    await _regroup(core)
    return Erased(count, left)


async def recognition_is_on(actor: Actor, core: Core) -> bool:
    """May faces be recognised in this household?"""
    return await core.db.read(stored.recognition_is_on)


async def turn_recognition_off(actor: Actor, core: Core) -> Erased:
    """Recognise nobody, and erase everything anybody was recognised by. Raises `NotAllowed`."""
    _refuse_guests(actor)
    count = await core.db.write(erasing.turn_off, core.clock, actor=actor.label)
    return Erased(count, await people_erasing.erase(core.db, core.home))


async def turn_recognition_on(actor: Actor, core: Core) -> int:
    """Recognise people again; how many files are looked at anew for it. Raises `NotAllowed`."""
    _refuse_guests(actor)
    return await core.db.write(erasing.turn_on, core.clock, actor=actor.label)


# --- how a decision is made --------------------------------------------------------------------


async def _decide(
    actor: Actor,
    core: Core,
    decision: Callable[Concatenate[sqlite3.Connection, By, P], str],
    *args: P.args,
    **kwargs: P.kwargs,
) -> str:
    entry = await core.db.write(decision, _by(actor, core), *args, **kwargs)
    await _regroup(core)
    return entry


async def _regroup(core: Core) -> None:
    """What follows from a decision, unless somebody is at work who does it anyway."""
    if core.flow is None:
        from pipeline.library import people  # numpy, for those who change something only

        await people.catch_up(core.db, core.clock)


def _by(actor: Actor, core: Core) -> By:
    return By(actor.library_id, actor.label, core.clock)


def _refuse_guests(actor: Actor) -> None:
    if actor.role not in _HOUSEHOLD:
        raise NotAllowed("Only who runs the household may switch recognition on or off.")


def _name(con: sqlite3.Connection, by: By, who: str, wanted: str) -> str:
    return decisions.name(con, by, stored.find(con, by.owner_id, who).id, wanted)


def _merge(con: sqlite3.Connection, by: By, into: str, other: str) -> str:
    one, two = (stored.find(con, by.owner_id, who).id for who in (into, other))
    return decisions.merge(con, by, one, two)


def _move(con: sqlite3.Connection, by: By, faces: Sequence[str], to: str | None) -> str:
    target = None if to is None else stored.find(con, by.owner_id, to).id
    return decisions.move(con, by, faces, target)


def _hide(con: sqlite3.Connection, by: By, who: str, *, is_hidden: bool) -> str:
    return decisions.hide(con, by, stored.find(con, by.owner_id, who).id, is_hidden=is_hidden)


def _cover(con: sqlite3.Connection, by: By, who: str, face: str) -> str:
    return decisions.cover(con, by, stored.find(con, by.owner_id, who).id, face)
