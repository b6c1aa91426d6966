"""Links that open an account once: the first administrator's, invitations, forgotten passwords.

A link is a secret: it is shown once, to who may give it away, and stored as its hash. A new one for
the same account makes the older ones worthless.
"""

from __future__ import annotations

import functools
import sqlite3
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.access import opaque, passwords, usernames
from pipeline.access.door import Caller
from pipeline.clock import timestamp
from pipeline.errors import NotFound
from pipeline.events import PasswordChanged, UserChanged
from pipeline.model import Actor
from pipeline.service import sessions, signing_in
from pipeline.service.signing_in import Challenge, Proven
from pipeline.state import audit, one_time, users
from pipeline.state.audit import By
from pipeline.state.one_time import OneTime

if TYPE_CHECKING:
    from pipeline.core import Core

FIRST, INVITATION, PASSWORD = "first-administrator", "invitation", "password"
PURPOSES = (FIRST, INVITATION, PASSWORD)


@dataclass(frozen=True, slots=True)
class Link:
    """A way into an account that works once. `purpose` is one of `PURPOSES`."""

    purpose: str
    username: str
    expires_at: str
    token: str = field(repr=False)

    def address(self, base: str) -> str:
        """Where it leads, on the dashboard at `base`. What follows # is sent to no server."""
        return f"{base.rstrip('/')}/welcome#{self.token}"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link is for, to be shown before it is used."""

    purpose: str
    username: str
    expires_at: str


def dashboard(core: Core) -> str:
    """Where people reach the dashboard, as far as the settings tell."""
    web = core.settings.web
    host = "localhost" if web.host in ("0.0.0.0", "::") else web.host  # noqa: S104 - a setting
    shown = f"[{host}]" if ":" in host else host
    return web.public_url or f"http://{shown}:{web.port}"


async def first_administrator(core: Core) -> Link | None:
    """The link that makes the first administrator; None when there is one already.

    Whoever calls this shows it in the terminal and nowhere else; each call makes a new one.
    """
    known = await core.db.read(users.secret_by_id, core.owner_id)
    others = await core.db.read(users.other_active_owners, core.owner_id)
    if known.hash is not None or others:
        return None
    return await core.db.write(make, core, core.owner_id, FIRST)


def make(con: sqlite3.Connection, core: Core, user_id: str, purpose: str) -> Link:
    """As part of another change: a new link for this account. Raises `NotFound`."""
    user, now = users.require(con, user_id), core.clock.now()
    token = opaque.make(opaque.LINK)
    ends = timestamp(now + timedelta(hours=core.settings.accounts.link_hours))
    one_time.withdraw(con, user_id, PURPOSES)
    one_time.add(con, opaque.digest(token), OneTime(purpose, ends, user_id), timestamp(now))
    return Link(purpose, user.username, ends, token)


async def look(core: Core, token: str) -> Opened:
    """What a link is for. Raises `NotFound` for one that is used, too old or unknown."""
    told, user = await core.db.read(_look, token, timestamp(core.clock.now()))
    return Opened(told.purpose, user.username, told.expires_at)


async def redeem(
    core: Core, token: str, password: str, caller: Caller, *, username: str | None = None
) -> Proven | Challenge:
    """Set the account's password by a link, which is used up; all its sessions end.

    The first administrator chooses a name as well. Raises `NotFound` for a link that is no good,
    `Invalid` for a password or name that is none, `Conflict` when the name is taken.
    """
    told, user = await core.db.read(_look, token, timestamp(core.clock.now()))
    chosen = None
    if told.purpose == FIRST:
        chosen = usernames.checked(username or "")
    passwords.check(password, chosen or user.username, core.settings.accounts.password_length)
    hashed = await core.door.hashing(functools.partial(passwords.hashed, password))
    by = By(Actor(user.id, user.role, caller.surface), timestamp(core.clock.now()))

    def change(con: sqlite3.Connection) -> None:
        if one_time.take(con, opaque.digest(token), told.purpose, by.at) is None:
            raise _worthless()
        if chosen is not None:
            after = users.change(con, user.id, {"username": chosen}, by.at)
            audit.tell(con, by, UserChanged(user.id, after.role, after.is_active))
        set_password(con, by, user.id, hashed)

    await core.db.write(change)
    core.door.forget()
    return await signing_in.further(core, await core.db.read(users.secret_by_id, user.id), "link")


def set_password(
    con: sqlite3.Connection, by: By, user_id: str, hashed: str, *, keep: str | None = None
) -> None:
    """As part of another change: another password; every session but `keep` ends with the old."""
    users.set_password(con, user_id, hashed, by.at)
    one_time.withdraw(con, user_id, (*PURPOSES, signing_in.SECOND_STEP))
    sessions.end_all(con, by, user_id, "password changed", keep=keep)
    audit.tell(con, by, PasswordChanged(user_id))


def _look(con: sqlite3.Connection, token: str, now: str) -> tuple[OneTime, users.User]:
    told = one_time.look(con, opaque.digest(token), now)
    if told is None or told.purpose not in PURPOSES or told.user_id is None:
        raise _worthless()
    user = users.require(con, told.user_id)
    if not user.is_active:
        raise _worthless()
    return told, user


def _worthless() -> NotFound:
    return NotFound(
        "This link was used already, or is too old.", hint="Ask for a new one; it works once."
    )
