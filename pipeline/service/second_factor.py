"""The second factor of one's account: an authenticator app, and recovery codes for a lost one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.access import totp
from pipeline.access.in_person import may_rule, require_in_person
from pipeline.access.rights import Right, require
from pipeline.clock import timestamp
from pipeline.errors import Invalid, NotAllowed, NotFound
from pipeline.events import SecondFactorTurnedOff, SecondFactorTurnedOn
from pipeline.model import Actor
from pipeline.service import accounts, sealing, signing_in
from pipeline.state import audit, second_factors, throttle, users
from pipeline.state.audit import By

if TYPE_CHECKING:
    from pipeline.core import Core


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app wants to know; shown once."""

    secret: str = field(repr=False)
    address: str = field(repr=False)  # `otpauth:`, for a QR code


async def begin(actor: Actor, core: Core, password: str) -> Enrolment:
    """Make a secret for an app; it is not asked for before `confirm`.

    Raises `Conflict` when a second factor is on, `NotAllowed` for a wrong password.
    """
    require(actor, Right.ACCOUNT_WRITE)
    await accounts.require_password(actor, core, password)
    user = await accounts.me(actor, core)
    secret = totp.new_secret()
    sealed = (await sealing.vault(core)).seal(secret.encode(), f"totp:{user.id}")
    at = timestamp(core.clock.now())
    await core.db.write(second_factors.begin, user.id, sealed, at)
    return Enrolment(secret, totp.address(secret, user.username))


async def confirm(actor: Actor, core: Core, code: str) -> tuple[str, ...]:
    """Turn it on with a first code from the app; the recovery codes, shown this once.

    Raises `Invalid` for a wrong code, `NotFound` when none was begun, `RateLimited`.
    """
    require(actor, Right.ACCOUNT_WRITE)
    require_in_person(actor)
    user_id = actor.user_id
    factor = await core.db.read(second_factors.of, user_id)
    if factor is None or factor.since is not None:
        raise NotFound("No second factor waits to be confirmed.")
    bucket = throttle.bucket("code", user_id)
    await signing_in.slow_down(core, [bucket])
    step = await signing_in.step_of(core, user_id, code)
    if step is None:
        raise Invalid("This code is wrong.", hint="Is the clock of your telephone right?")
    codes, by = totp.new_codes(), By(actor, timestamp(core.clock.now()))

    def change(con: sqlite3.Connection) -> None:
        second_factors.use_step(con, user_id, step)
        second_factors.confirm(con, user_id, by.at)
        second_factors.set_codes(con, user_id, map(totp.code_digest, codes))
        throttle.give_back(con, [bucket])
        audit.tell(con, by, SecondFactorTurnedOn(user_id))

    await core.db.write(change)
    return codes


async def new_codes(actor: Actor, core: Core, password: str) -> tuple[str, ...]:
    """Other recovery codes, shown this once; the older ones are worth nothing.

    Raises `NotFound` when no second factor is on, `NotAllowed` for a wrong password.
    """
    require(actor, Right.ACCOUNT_WRITE)
    await accounts.require_password(actor, core, password)
    factor = await core.db.read(second_factors.of, actor.user_id)
    if factor is None or factor.since is None:
        raise NotFound("There is no second factor.")
    codes = totp.new_codes()
    await core.db.write(second_factors.set_codes, actor.user_id, map(totp.code_digest, codes))
    return codes


async def codes_left(actor: Actor, core: Core) -> int:
    """How many recovery codes the actor has not used."""
    return await core.db.read(second_factors.codes_left, actor.user_id)


async def turn_off(actor: Actor, core: Core, password: str) -> None:
    """Ask for no code any more. Raises `NotFound`, `NotAllowed` for a wrong password."""
    require(actor, Right.ACCOUNT_WRITE)
    await accounts.require_password(actor, core, password)
    await _turn_off(actor, core, actor.user_id)


async def reset(actor: Actor, core: Core, user_id: str) -> None:
    """Turn it off for somebody who lost both app and codes. Raises `NotFound`, `NotAllowed`."""
    require(actor, Right.USERS_WRITE)
    require_in_person(actor)
    user = await core.db.read(users.require, user_id)
    if not may_rule(actor, user.role):
        raise NotAllowed(f"Only an owner may do this for somebody who is {user.role}.")
    await _turn_off(actor, core, user_id)


async def _turn_off(actor: Actor, core: Core, user_id: str) -> None:
    by = By(actor, timestamp(core.clock.now()))

    def change(con: sqlite3.Connection) -> None:
        second_factors.turn_off(con, user_id, by.at)
        audit.tell(con, by, SecondFactorTurnedOff(user_id))

    await core.db.write(change)
