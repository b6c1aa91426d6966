"""API keys: for what asks by itself, narrowed to what it needs, shown once.

A key can never do more than its owner; most can do far less. Only a person makes one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.access import opaque
from pipeline.access.in_person import require_in_person
from pipeline.access.rights import ROLE_RIGHTS, Right, allows, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import Conflict, Invalid, NotAllowed
from pipeline.events import KeyMade, KeyRevoked
from pipeline.model import Actor
from pipeline.state import api_keys, audit
from pipeline.state.api_keys import ApiKey
from pipeline.state.audit import By

if TYPE_CHECKING:
    from pipeline.core import Core

MOST = 100  # keys of one user
_LONGEST_NAME = 100

# Ready-made choices of scopes, by what asks.
PRESETS: Mapping[str, tuple[Right, ...]] = {
    "home-assistant": (
        Right.STATUS_READ, Right.JOBS_READ, Right.JOBS_WRITE, Right.EVENTS_READ, Right.FILES_READ,
    ),
    "uploader": (Right.FILES_ADD, Right.FILES_READ, Right.ALBUMS_READ, Right.ALBUMS_WRITE),
    "picture-frame": (Right.FILES_READ, Right.ALBUMS_READ),
    "monitoring": (Right.STATUS_READ,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A new key; `secret` is known nowhere else and never shown again."""

    key: ApiKey
    secret: str = field(repr=False)


async def make(
    actor: Actor, core: Core, name: str, scopes: Iterable[str], *, days: int | None = None
) -> Made:
    """A key with these scopes (or a preset's name among them), for so many days or for ever.

    Raises `Invalid`, `NotAllowed` for what the actor may not do itself, `Conflict` for too many.
    """
    require(actor, Right.ACCOUNT_WRITE)
    require_in_person(actor)
    now = core.clock.now()
    secret = opaque.make(opaque.KEY)
    key = ApiKey(
        id=new_id(now),
        user_id=actor.user_id,
        name=_named(name),
        hint=opaque.hint(secret),
        scopes=_scopes(actor, scopes),
        created_at=timestamp(now),
        expires_at=None if days is None else _end(now, days),
    )
    by = By(actor, key.created_at)

    def add(con: sqlite3.Connection) -> None:
        if len(api_keys.listing(con, actor.user_id)) >= MOST:
            raise Conflict(f"You have {MOST} keys already.", hint="Revoke what is not used.")
        api_keys.add(con, key, opaque.digest(secret))
        told = KeyMade(key.id, actor.user_id, key.scopes)
        audit.tell(con, by, told, after={"name": key.name, "scopes": list(key.scopes)})

    await core.db.write(add)
    return Made(key, secret)


async def listing(actor: Actor, core: Core, *, everybody: bool = False) -> list[ApiKey]:
    """The actor's keys, or for administrators everybody's, oldest first."""
    if everybody:
        require(actor, Right.USERS_READ)
    return await core.db.read(api_keys.listing, None if everybody else actor.user_id)


async def one(actor: Actor, core: Core, key_id: str) -> ApiKey:
    """One key of the actor, or for administrators anybody's. Raises `NotFound`."""
    return await core.db.read(api_keys.require, key_id, _owner(actor))


async def revoke(actor: Actor, core: Core, key_id: str) -> None:
    """From now on the key is worth nothing. Raises `NotFound`."""
    require(actor, Right.ACCOUNT_WRITE)
    by = By(actor, timestamp(core.clock.now()))

    def change(con: sqlite3.Connection) -> None:
        key = api_keys.require(con, key_id, _owner(actor))
        api_keys.revoke(con, key_id, by.at)
        audit.tell(con, by, KeyRevoked(key.id, key.user_id), before={"name": key.name})

    await core.db.write(change)
    core.door.forget()


def _owner(actor: Actor) -> str | None:
    """Whose keys the actor may deal with; None: anybody's."""
    return None if allows(actor, Right.USERS_WRITE) else actor.user_id


def _scopes(actor: Actor, told: Iterable[str]) -> tuple[str, ...]:
    wanted = {scope for one in told for scope in PRESETS.get(one, (one,))}
    if not wanted:
        raise Invalid("A key needs at least one scope.", hint=f"Presets: {', '.join(PRESETS)}.")
    if unknown := sorted(wanted - set(Right)):
        raise Invalid(f"There is no scope {unknown[0]!r}.", hint=f"There are: {', '.join(Right)}.")
    if beyond := sorted(wanted - ROLE_RIGHTS.get(actor.role, frozenset())):
        raise NotAllowed(f"You may not give {beyond[0]} away: your role does not have it.")
    return tuple(sorted(wanted))


def _named(name: str) -> str:
    plain = name.strip()
    if not plain or len(plain) > _LONGEST_NAME or not plain.isprintable():
        raise Invalid(f"A key is called by 1 to {_LONGEST_NAME} plain characters.")
    return plain


def _end(now: datetime, days: int) -> str:
    if not 1 <= days <= 3650:
        raise Invalid("A key is good for 1 to 3650 days, or for ever.")
    return timestamp(now + timedelta(days=days))
