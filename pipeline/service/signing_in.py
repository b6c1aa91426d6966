"""Proving who one is: a password, then a code where a second factor is on.

Guessing is slowed, never locked: each address and each name may fail a few times at once and then
once a minute; who has signed in from an address before has tries of their own there, so that nobody
can keep an owner out by guessing. Wrong names and wrong passwords look the same and take as long.
"""

from __future__ import annotations

import functools
import ipaddress
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import structlog

from pipeline.access import opaque, passwords, totp, usernames
from pipeline.access.door import Caller
from pipeline.clock import timestamp
from pipeline.errors import IntegrityBroken, NotKnown, RateLimited
from pipeline.events import RecoveryCodeUsed
from pipeline.model import Actor
from pipeline.service import sealing
from pipeline.state import audit, one_time, second_factors, sessions, throttle, users
from pipeline.state.audit import By
from pipeline.state.one_time import OneTime
from pipeline.state.users import Secret

if TYPE_CHECKING:
    from pipeline.core import Core

Method = Literal["password", "link", "provider"]
SECOND_STEP = "second-factor"  # purpose of a ticket
STEP_TIME = timedelta(minutes=5)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody who has proved who they are; only this package makes one."""

    user_id: str
    role: str
    method: Method
    second_factor: bool = False

    def actor(self, caller: Caller) -> Actor:
        """The same, asking."""
        return Actor(self.user_id, self.role, caller.surface)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A code is wanted as well: `finish` takes it with this ticket, for five minutes."""

    ticket: str = field(repr=False)
    expires_at: str


async def with_password(core: Core, name: str, password: str, caller: Caller) -> Proven | Challenge:
    """Who this is, or the challenge to send a code too. Raises `NotKnown`, `RateLimited`."""
    spelt = usernames.spelt(name)

    def look(con: sqlite3.Connection) -> tuple[Secret | None, list[bytes]]:
        known = users.secret_of(con, spelt)
        was_here = known is not None and sessions.was_here(con, known.user_id, caller.address)
        return known, _buckets(spelt, caller, was_here=was_here)

    known, buckets = await core.db.read(look)
    await slow_down(core, buckets)
    is_right = await verify(core, known.hash if known else None, password)
    if known is None or not is_right or not _may(core, known):
        raise NotKnown("The name or the password is wrong.", hint="Try again.")
    await core.db.write(throttle.give_back, buckets)
    await _rehash(core, known, password)
    return await further(core, known, "password")


async def further(core: Core, known: Secret, method: Method) -> Proven | Challenge:
    """What follows after the first factor was right."""
    if not known.has_second_factor:
        return Proven(known.user_id, known.role, method)
    now = core.clock.now()
    ticket, ends = opaque.make(opaque.LINK), timestamp(now + STEP_TIME)
    told = OneTime(SECOND_STEP, ends, known.user_id, {"method": method})
    await core.db.write(one_time.add, opaque.digest(ticket), told, timestamp(now))
    return Challenge(ticket, ends)


async def finish(core: Core, ticket: str, code: str, caller: Caller) -> Proven:
    """Who this is, by the ticket of a challenge and a code. Raises `NotKnown`, `RateLimited`."""
    now = core.clock.now()
    digest, at = opaque.digest(ticket), timestamp(now)
    told = await core.db.read(one_time.look, digest, at)
    if told is None or told.purpose != SECOND_STEP or told.user_id is None:
        raise NotKnown("This sign-in took too long.", hint="Begin again with your password.")
    known = await core.db.read(users.secret_by_id, told.user_id)
    bucket = throttle.bucket("code", known.user_id)
    await slow_down(core, [bucket])
    proven = Proven(known.user_id, known.role, told.data["method"], second_factor=True)
    step = await step_of(core, known.user_id, code)

    def use(con: sqlite3.Connection) -> bool:
        if not _use(con, By(proven.actor(caller), at), step, code):
            return False
        if one_time.take(con, digest, SECOND_STEP, at) is None:
            return False
        throttle.give_back(con, [bucket])
        return True

    if not known.is_active or not await core.db.write(use):
        raise NotKnown("This code is wrong, or was used before.", hint="Wait for the next one.")
    return proven


# --- what others check, too --------------------------------------------------------------------


async def verify(core: Core, known: str | None, password: str) -> bool:
    """Whether this is the password; takes as long when there is none."""
    return await core.door.hashing(functools.partial(passwords.matches, known, password))


async def step_of(core: Core, user_id: str, code: str) -> int | None:
    """The time step of a code of the user's second factor; None when it is none of its.

    With the key file lost no code is right any more; recovery codes still are.
    """
    factor = await core.db.read(second_factors.of, user_id)
    if factor is None:
        return None
    try:
        secret = (await sealing.vault(core)).open(factor.secret, f"totp:{user_id}").decode()
    except IntegrityBroken as error:
        _log.warning("a second factor cannot be checked", reason=str(error))
        return None
    return totp.step_of(secret, code, core.clock.now())


async def slow_down(core: Core, buckets: Sequence[bytes]) -> None:
    """Count one try in each bucket. Raises `RateLimited` when one of them is full."""
    now = core.clock.now().timestamp()
    seconds = await core.db.read(throttle.wait, buckets, now)  # who is slowed costs no commit
    if seconds <= 0:
        seconds = await core.db.write(throttle.take, buckets, now)
    if seconds > 0:
        raise RateLimited(
            "Too many tries to sign in.", hint="The account is not locked.", after_s=seconds
        )


def _use(con: sqlite3.Connection, by: By, step: int | None, code: str) -> bool:
    user_id = by.actor.user_id
    if step is not None:
        return second_factors.use_step(con, user_id, step)
    if not second_factors.use_code(con, user_id, totp.code_digest(code), by.at):
        return False
    left = second_factors.codes_left(con, user_id)
    audit.tell(con, by, RecoveryCodeUsed(user_id, left))
    return True


def _may(core: Core, known: Secret) -> bool:
    """Owners always may use a password, so that no provider's failure locks a home."""
    return known.is_active and (core.settings.accounts.passwords or known.role == users.OWNER)


async def _rehash(core: Core, known: Secret, password: str) -> None:
    if known.hash is None or not passwords.is_outdated(known.hash):
        return
    after = await core.door.hashing(functools.partial(passwords.hashed, password))
    await core.db.write(users.rehash, known.user_id, known.hash, after)


def _buckets(name: str, caller: Caller, *, was_here: bool) -> list[bytes]:
    network = _network(caller.address)
    about = ("known", name, network) if was_here else ("name", name)
    return [throttle.bucket("address", network), throttle.bucket(*about)]


def _network(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the first half of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
