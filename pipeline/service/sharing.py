"""Lending: a look at, or a hand on, a library, an album or a file; and why somebody sees it.

`into_library` and `to_file` are how every surface lets somebody into what is not theirs.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.access import reach, why
from pipeline.access.reach import Permission
from pipeline.access.rights import Right, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import NotFound
from pipeline.model import Actor
from pipeline.service import audit
from pipeline.state import grants, shares, teams, ways
from pipeline.state.grants import Grant, Thing, To
from pipeline.state.shares import Share
from pipeline.state.teams import Member, Team
from pipeline.state.ways import Way

if TYPE_CHECKING:
    from pipeline.core import Core


@dataclass(frozen=True, slots=True)
class Receivers:
    """To whom something can be lent."""

    people: tuple[Member, ...]
    teams: tuple[Team, ...]


@dataclass(frozen=True, slots=True)
class Lent:
    """A library that is lent to the actor, and how far."""

    owner_id: str
    name: str
    permission: Permission


@dataclass(frozen=True, slots=True)
class Reason:
    """That somebody sees a thing, how far they reach it, and why: a sentence for each way."""

    user_id: str
    name: str
    permission: Permission
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who sees a thing: people with an account, and whoever has one of these links."""

    people: tuple[Reason, ...]
    links: tuple[Share, ...]


# --- going in ----------------------------------------------------------------------------------


async def into_library(actor: Actor, core: Core, owner_id: str, right: Right) -> Actor:
    """The actor looking into somebody's library. Raises `NotFound`, `NotAllowed`."""
    require(actor, right)
    return await core.db.read(reach.library, actor, owner_id, right)


async def to_file(actor: Actor, core: Core, file_id: str, right: Right) -> Actor:
    """The actor looking at one file, wherever it is: good for this file alone.

    Raises `NotFound`, `NotAllowed`.
    """
    require(actor, right)
    return await core.db.read(reach.file, actor, file_id, right)


# --- lending -----------------------------------------------------------------------------------


async def lend(actor: Actor, core: Core, thing: Thing, to: To, permission: Permission) -> Grant:
    """Lend what is the actor's, or may be lent on by them; again changes how far.

    Raises `NotFound`, `NotAllowed`, `Invalid`.
    """
    require(actor, Right.SHARES_WRITE)
    grant_id = new_id(core.clock.now())

    def write(con: sqlite3.Connection) -> Grant:
        reach.lendable(con, actor, thing.type, thing.id)
        word = min(permission, Permission.MANAGE).word
        return grants.give(con, audit.by(actor, core), grant_id, thing, to, word)

    return await core.db.write(write)


async def take_back(actor: Actor, core: Core, grant_id: str) -> None:
    """End a grant: of what the actor may lend, or one that was made to them.

    Raises `NotFound`, also for grants that are nothing to them.
    """
    require(actor, Right.ACCOUNT_WRITE)

    def write(con: sqlite3.Connection) -> None:
        if grants.get(con, grant_id).user_id != actor.user_id:
            _lent_by(con, actor, grant_id)
        grants.revoke(con, audit.by(actor, core), grant_id)

    await core.db.write(write)


async def get(actor: Actor, core: Core, grant_id: str) -> Grant:
    """A grant of what the actor may lend, or one that was made to them. Raises `NotFound`."""
    require(actor, Right.ACCOUNT_READ)

    def read(con: sqlite3.Connection) -> Grant:
        held = [one for one in grants.held_by(con, actor.user_id) if one.id == grant_id]
        return held[0] if held else _lent_by(con, actor, grant_id)

    return await core.db.read(read)


async def of_thing(actor: Actor, core: Core, thing: Thing) -> list[Grant]:
    """To whom a thing is lent, for who may lend it. Raises `NotFound`, `NotAllowed`."""
    require(actor, Right.SHARES_WRITE)

    def read(con: sqlite3.Connection) -> list[Grant]:
        reach.lendable(con, actor, thing.type, thing.id)
        return grants.of_thing(con, thing)

    return await core.db.read(read)


async def held(actor: Actor, core: Core) -> list[Grant]:
    """What is lent to the actor, to them alone or to a team they are in, the newest first."""
    require(actor, Right.ACCOUNT_READ)
    return await core.db.read(grants.held_by, actor.user_id)


async def libraries(actor: Actor, core: Core) -> list[Lent]:
    """The libraries that are lent to the actor, by whose they are."""
    require(actor, Right.FILES_READ)

    def read(con: sqlite3.Connection) -> list[Lent]:
        kinds = [
            one for one in grants.held_by(con, actor.user_id) if one.resource_type == "library"
        ]
        widest: dict[str, Permission] = {}
        for one in kinds:
            told = Permission[one.permission.upper()]
            widest[one.resource_id] = max(told, widest.get(one.resource_id, told))
        names = teams.names_of(con, [*widest])
        lent = [Lent(owner, names.get(owner, ""), told) for owner, told in widest.items()]
        return sorted(lent, key=lambda one: (one.name, one.owner_id))

    return await core.db.read(read)


async def receivers(actor: Actor, core: Core) -> Receivers:
    """The people and teams that something can be lent to; the actor is not among them."""
    require(actor, Right.SHARES_WRITE)

    def read(con: sqlite3.Connection) -> Receivers:
        people = (one for one in teams.everybody(con) if one.id != actor.user_id)
        return Receivers(tuple(people), tuple(teams.listing(con)))

    return await core.db.read(read)


# --- why ---------------------------------------------------------------------------------------


async def explain(actor: Actor, core: Core, thing: Thing, user_id: str) -> Reason:
    """Why somebody sees a thing: oneself, or anybody for who may lend it.

    Raises `NotFound` where they do not see it, or the actor may not know.
    """
    require(actor, Right.ACCOUNT_READ)

    def read(con: sqlite3.Connection) -> Reason:
        if user_id != actor.user_id:
            reach.lendable(con, actor, thing.type, thing.id)
        found = _reason(con, thing, user_id, teams.require_user(con, user_id))
        if found is None:
            raise NotFound(f"There is no such {thing.type}, or this person does not see it.")
        return found

    return await core.db.read(read)


async def audience(actor: Actor, core: Core, thing: Thing) -> Audience:
    """Everybody who sees a thing, and why; for who may lend it. Raises `NotFound`."""
    require(actor, Right.SHARES_WRITE)
    at = timestamp(core.clock.now())

    def read(con: sqlite3.Connection) -> Audience:
        reach.lendable(con, actor, thing.type, thing.id)
        people = (_reason(con, thing, one.id, one.name) for one in teams.everybody(con))
        links = shares.showing(con, thing.id, at) if thing.type == grants.FILE else []
        return Audience(tuple(one for one in people if one is not None), tuple(links))

    return await core.db.read(read)


def _reason(con: sqlite3.Connection, thing: Thing, user_id: str, name: str) -> Reason | None:
    found = _ways(con, thing, user_id)
    widest = reach.widest(found)
    if widest is None:
        return None
    names = teams.names_of(con, sorted({one.album_owner_id or one.owner_id for one in found}))
    told = dict.fromkeys((widest.way, *found))  # several of a bundle come by the same way
    sentences = tuple(why.sentence(name, thing.type, one, names) for one in told)
    return Reason(user_id, name, widest.permission, sentences)


def _ways(con: sqlite3.Connection, thing: Thing, user_id: str) -> list[Way]:
    find = {
        grants.LIBRARY: ways.to_library,
        grants.ALBUM: ways.to_album,
        grants.FILE: ways.to_file,
    }[thing.type]
    return find(con, user_id, thing.id)


def _lent_by(con: sqlite3.Connection, actor: Actor, grant_id: str) -> Grant:
    """A grant of what the actor may lend. Raises `NotFound`: foreign grants are not there."""
    grant = grants.get(con, grant_id)
    found = reach.widest(_ways(con, Thing(grant.resource_type, grant.resource_id), actor.user_id))
    if found is None or found.permission < Permission.MANAGE:
        raise NotFound("There is no such grant.")
    return grant
