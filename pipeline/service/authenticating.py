"""Who is asking: a cookie, an access token or an API key becomes an actor.

Asked for every request, so answers are remembered for a few seconds (`access/door.py`); what ends a
credential in this process ends it at once. All credentials that are no good look the same.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pipeline.access import opaque, signed
from pipeline.access.door import REMEMBER_S, Caller, Recognised, Source
from pipeline.clock import timestamp
from pipeline.errors import NotKnown, TryLater
from pipeline.model import Actor
from pipeline.service import signing
from pipeline.state import api_keys, sessions, standing
from pipeline.state.standing import Standing

if TYPE_CHECKING:
    from pipeline.core import Core

TOUCH_EVERY = timedelta(minutes=1)  # the last use is known to the minute
NOBODY = Caller()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody shows: a browser's cookie, a bearer token, or an API key."""

    kind: Literal["cookie", "bearer", "key"]
    secret: str = field(repr=False)


async def authenticate(core: Core, shown: Credentials, caller: Caller = NOBODY) -> Actor:
    """The actor these credentials stand for. Raises `NotKnown`."""
    return (await recognise(core, shown, caller)).actor


async def recognise(core: Core, shown: Credentials, caller: Caller = NOBODY) -> Recognised:
    """As `authenticate`, with the session or key that it is by. Raises `NotKnown`."""
    digest = opaque.digest(f"{shown.kind}:{shown.secret}")
    moment = core.clock.monotonic()
    known = core.door.recall(digest, moment)
    if known is not None:
        return known
    turn, now = core.door.turn, core.clock.now()
    found, source, ends = await _look_up(core, shown, now)
    await _touch(core, found, source, now, caller)
    actor = Actor(found.user_id, found.role, caller.surface, scopes=found.scopes)
    recognised = Recognised(actor, source, found.source_id)
    left = REMEMBER_S if ends is None else min(REMEMBER_S, ends - now.timestamp())
    core.door.remember(digest, recognised, moment + left, turn)
    return recognised


async def _look_up(
    core: Core, shown: Credentials, now: datetime
) -> tuple[Standing, Source, float | None]:
    """Standing, source, and when it ends in Unix seconds. Raises `NotKnown`."""
    secret, at = shown.secret, timestamp(now)
    if shown.kind == "cookie" and opaque.has_shape(secret, opaque.SESSION):
        idle = timestamp(now - timedelta(days=core.settings.accounts.idle_days))
        found = await core.db.read(
            standing.by_cookie, opaque.digest(secret), now=at, idle_since=idle
        )
        return _there(found), "session", _end(found)
    if shown.kind != "cookie" and opaque.has_shape(secret, opaque.KEY):
        found = await core.db.read(standing.by_key, opaque.digest(secret), now=at)
        return _there(found), "key", _end(found)
    if shown.kind == "bearer":
        told = await signing.claims(core, secret)
        found = await core.db.read(standing.by_session, told.session_id, now=at)
        if found is None or found.user_id != told.user_id:
            raise signed.refusal()
        return found, "tokens", told.expires_at + signed.LEEWAY_S
    raise _refusal()


def _there(found: Standing | None) -> Standing:
    if found is None:
        raise _refusal()
    return found


def _end(found: Standing | None) -> float | None:
    if found is None or found.expires_at is None:
        return None
    return datetime.fromisoformat(found.expires_at).timestamp()


async def _touch(
    core: Core, found: Standing, source: Source, now: datetime, caller: Caller
) -> None:
    """Note the use, at most once a minute; a full disk keeps nobody out."""
    if found.used_at is not None and found.used_at > timestamp(now - TOUCH_EVERY):
        return

    def note(con: sqlite3.Connection) -> None:
        if source == "key":
            api_keys.touch(con, found.source_id, timestamp(now), caller.address)
        else:
            sessions.touch(con, found.source_id, timestamp(now))

    with contextlib.suppress(TryLater):
        await core.db.write(note)


def _refusal() -> NotKnown:
    return NotKnown(
        "These credentials are not valid, or not any more.",
        hint="Sign in again, or make a new key.",
        challenge='Bearer realm="darkroom", error="invalid_token"',
    )
