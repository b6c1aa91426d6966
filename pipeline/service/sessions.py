"""Being signed in: starting, renewing, looking at and ending sessions.

A browser holds one opaque cookie; a program holds a short access token and a refresh token that
works once. A refresh token shown twice ends its session: one of the two who have it stole it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.access import opaque
from pipeline.access.door import Caller, Recognised
from pipeline.access.in_person import may_rule
from pipeline.access.rights import Right, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import NotAllowed, NotKnown
from pipeline.events import SessionEnded, SessionStarted
from pipeline.model import Actor
from pipeline.service import signing
from pipeline.service.signing_in import Proven
from pipeline.state import audit, refresh_tokens, sessions, users
from pipeline.state.audit import By
from pipeline.state.refresh_tokens import Spent
from pipeline.state.sessions import Ended, Kind, Session

if TYPE_CHECKING:
    from pipeline.core import Core

REMEMBERED = timedelta(days=90)  # how long it is known from where somebody has signed in
_LONGEST_DEVICE = 200


@dataclass(frozen=True, slots=True)
class Started:
    """A browser's new session; `token` goes into its cookie and is known nowhere else."""

    session: Session
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a program gets: `access` is good for `expires_in` seconds, `refresh` works once."""

    session_id: str
    expires_in: int
    access: str = field(repr=False)
    refresh: str = field(repr=False)


async def start(core: Core, proven: Proven, caller: Caller) -> Started:
    """Sign a browser in, always under a new secret."""
    token = opaque.make(opaque.SESSION)
    one = _new(core, proven, caller, "browser")
    await core.db.write(_begin, one, By(proven.actor(caller), one.created_at), token)
    return Started(one, token)


async def start_tokens(core: Core, proven: Proven, caller: Caller) -> Tokens:
    """Sign a program in."""
    refresh = opaque.make(opaque.REFRESH)
    one = _new(core, proven, caller, "tokens")
    ends = _refresh_end(core)

    def begin(con: sqlite3.Connection) -> None:
        _begin(con, one, By(proven.actor(caller), one.created_at), None)
        refresh_tokens.add(con, opaque.digest(refresh), one.id, ends)

    await core.db.write(begin)
    return await _tokens(core, one.user_id, one.id, refresh)


async def refresh(core: Core, token: str, caller: Caller) -> Tokens:
    """New tokens for a refresh token, which is used up. Raises `NotKnown`.

    One that was used up before ends the whole session.
    """
    if not opaque.has_shape(token, opaque.REFRESH):
        raise _no_refresh()
    after, ends, at = opaque.make(opaque.REFRESH), _refresh_end(core), timestamp(core.clock.now())

    def spend(con: sqlite3.Connection) -> Spent:
        spent = refresh_tokens.spend(con, opaque.digest(token), at)
        if spent.outcome == "renewed":
            refresh_tokens.add(con, opaque.digest(after), spent.session_id, ends)
            sessions.touch(con, spent.session_id, at)
        elif spent.outcome == "reused":
            by = By(
                Actor(spent.user_id, users.require(con, spent.user_id).role, caller.surface), at
            )
            told(
                con, by, [sessions.end(con, spent.session_id, spent.user_id, "reuse", at)], "reuse"
            )
        return spent

    spent = await core.db.write(spend)
    if spent.outcome != "renewed":
        core.door.forget()
        raise _no_refresh()
    return await _tokens(core, spent.user_id, spent.session_id, after)


async def give_up(core: Core, token: str, caller: Caller) -> None:
    """Sign out the program that shows this refresh token; one that is unknown changes nothing."""
    found = await core.db.read(refresh_tokens.session_of, opaque.digest(token))
    if found is not None:
        session_id, user_id = found
        role = (await core.db.read(users.require, user_id)).role
        await _end_quietly(core, Actor(user_id, role, caller.surface), session_id)


async def sign_out(core: Core, who: Recognised, why: str = "signed out") -> None:
    """End the session that somebody came in by; a key is left as it is."""
    if who.source != "key":
        await _end_quietly(core, who.actor, who.source_id, why)


# --- looking and revoking ----------------------------------------------------------------------


async def listing(actor: Actor, core: Core, user_id: str | None = None) -> list[Session]:
    """Where the actor, or for administrators somebody else, is signed in, last seen first."""
    whose = _whose(actor, user_id)
    now = core.clock.now()
    idle = timestamp(now - timedelta(days=core.settings.accounts.idle_days))
    return await core.db.read(sessions.open_ones, whose, now=timestamp(now), idle_since=idle)


async def end(actor: Actor, core: Core, session_id: str, user_id: str | None = None) -> None:
    """End one session of the actor, or for administrators of somebody else. Raises `NotFound`."""
    whose, by = _whose(actor, user_id), By(actor, timestamp(core.clock.now()))

    def change(con: sqlite3.Connection) -> None:
        _refuse_above(con, actor, whose)
        told(con, by, [sessions.end(con, session_id, whose, "revoked", by.at)], "revoked")

    await core.db.write(change)
    core.door.forget()


async def end_others(
    actor: Actor, core: Core, *, keep: str | None = None, user_id: str | None = None
) -> int:
    """End all sessions but `keep`; how many there were."""
    whose, by = _whose(actor, user_id), By(actor, timestamp(core.clock.now()))

    def change(con: sqlite3.Connection) -> int:
        _refuse_above(con, actor, whose)
        return end_all(con, by, whose, "revoked", keep=keep)

    count = await core.db.write(change)
    core.door.forget()
    return count


def end_all(
    con: sqlite3.Connection, by: By, user_id: str, why: str, *, keep: str | None = None
) -> int:
    """As part of another change: end a user's sessions but `keep`, and tell; how many."""
    ended = sessions.end_all(con, user_id, why, by.at, keep=keep)
    told(con, by, ended, why)
    return len(ended)


def told(con: sqlite3.Connection, by: By, ended: Iterable[Ended], why: str) -> None:
    """Tell that sessions are over."""
    for one in ended:
        audit.tell(con, by, SessionEnded(one.id, one.user_id, why))


# --- how ---------------------------------------------------------------------------------------


def _new(core: Core, proven: Proven, caller: Caller, kind: Kind) -> Session:
    now = core.clock.now()
    at, days = timestamp(now), timedelta(days=core.settings.accounts.session_days)
    return Session(
        id=new_id(now),
        user_id=proven.user_id,
        kind=kind,
        method=proven.method,
        second_factor=proven.second_factor,
        device=caller.device[:_LONGEST_DEVICE],
        address=caller.address,
        created_at=at,
        seen_at=at,
        expires_at=timestamp(now + days),
    )


def _begin(con: sqlite3.Connection, one: Session, by: By, token: str | None) -> None:
    sessions.forget(con, timestamp(datetime.fromisoformat(by.at) - REMEMBERED))
    sessions.start(con, one, None if token is None else opaque.digest(token))
    users.note_login(con, one.user_id, by.at)
    audit.tell(con, by, SessionStarted(one.id, one.user_id, one.method))


async def _end_quietly(core: Core, actor: Actor, session_id: str, why: str = "signed out") -> None:
    by = By(actor, timestamp(core.clock.now()))

    def change(con: sqlite3.Connection) -> None:
        ended = sessions.end_if_open(con, session_id, actor.user_id, why, by.at)
        told(con, by, ended, why)

    await core.db.write(change)
    core.door.forget()


async def _tokens(core: Core, user_id: str, session_id: str, refresh: str) -> Tokens:
    access = await signing.access_token(core, user_id, session_id)
    return Tokens(session_id, core.settings.accounts.access_minutes * 60, access, refresh)


def _refresh_end(core: Core) -> str:
    return timestamp(core.clock.now() + timedelta(days=core.settings.accounts.refresh_days))


def _whose(actor: Actor, user_id: str | None) -> str:
    if user_id is None or user_id == actor.user_id:
        return actor.user_id
    require(actor, Right.USERS_WRITE)
    return user_id


def _refuse_above(con: sqlite3.Connection, actor: Actor, user_id: str) -> None:
    if user_id != actor.user_id and not may_rule(actor, users.require(con, user_id).role):
        raise NotAllowed("You may not sign out somebody above you.")


def _no_refresh() -> NotKnown:
    return NotKnown(
        "This refresh token is not valid, or not any more.",
        hint="Sign in again.",
        challenge='Bearer realm="darkroom", error="invalid_grant"',
    )
