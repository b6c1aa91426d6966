"""The people who have an account here, for administrators.

Nobody gives a role above their own or changes somebody above them, and the last owner who can sign
in stays one: a home never locks itself out.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.access import usernames
from pipeline.access.in_person import RANKS, may_rule
from pipeline.access.rights import Right, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import Conflict, Invalid, NotAllowed, Stale
from pipeline.events import UserAdded, UserChanged, UserRemoved
from pipeline.model import Actor, Json
from pipeline.service import links, sessions
from pipeline.service.links import INVITATION, PASSWORD, Link
from pipeline.state import audit, users
from pipeline.state.audit import By
from pipeline.state.users import OWNER, Newcomer, User

if TYPE_CHECKING:
    from pipeline.core import Core

_LONGEST_NAME = 200
_SPELT = ("role", "is_active", "display_name", "email", "username")


@dataclass(frozen=True, slots=True)
class Invited:
    """A new account, and the link by which its owner sets a password."""

    user: User
    link: Link


async def listing(actor: Actor, core: Core, after: str = "", limit: int = 1000) -> list[User]:
    """Up to `limit` accounts with ids past `after`. Raises `NotAllowed`."""
    require(actor, Right.USERS_READ)
    return await core.db.read(users.listing, after, limit)


async def one(actor: Actor, core: Core, user_id: str) -> User:
    """One account. Raises `NotFound`, `NotAllowed`."""
    require(actor, Right.USERS_READ)
    return await core.db.read(users.require, user_id)


async def find(actor: Actor, core: Core, name: str) -> User:
    """The account of this user name, mail or id. Raises `NotFound`, `NotAllowed`."""
    require(actor, Right.USERS_READ)

    def look(con: sqlite3.Connection) -> User:
        return users.find(con, usernames.spelt(name)) or users.require(con, name)

    return await core.db.read(look)


async def invite(actor: Actor, core: Core, username: str, role: str, **more: str | None) -> Invited:
    """A new account without a password, and its link. `more`: display_name, email.

    Raises `Invalid`, `Conflict` when the name is taken, `NotAllowed` for a role above one's own.
    """
    require(actor, Right.USERS_WRITE)
    _require_may_rule(actor, role)
    now = core.clock.now()
    told = _checked({**more, "username": username})
    newcomer = Newcomer(
        new_id(now), told["username"], role, told.get("display_name"), told.get("email")
    )
    by = By(actor, timestamp(now))

    def change(con: sqlite3.Connection) -> Invited:
        add(con, by, newcomer)
        link = links.make(con, core, newcomer.id, INVITATION)
        return Invited(users.require(con, newcomer.id), link)

    return await core.db.write(change)


def add(con: sqlite3.Connection, by: By, newcomer: Newcomer) -> None:
    """As part of another change: a new account, told."""
    users.add(con, newcomer, by.at)
    audit.tell(con, by, UserAdded(newcomer.id, newcomer.role), after={"role": newcomer.role})


async def change(
    actor: Actor,
    core: Core,
    user_id: str,
    fields: Mapping[str, Json],
    *,
    seen: str | None = None,
) -> User:
    """Another role, name or address, or disable and enable. `seen` is the version that was seen.

    Who is disabled is signed out everywhere, and their keys are worth nothing while they are.
    Raises `NotFound`, `Invalid`, `NotAllowed`, `Stale` for an old version, `Conflict`.
    """
    require(actor, Right.USERS_WRITE)
    wanted, by = _checked(fields), By(actor, timestamp(core.clock.now()))

    def store(con: sqlite3.Connection) -> User:
        before = users.require(con, user_id)
        if seen is not None and seen != version(before):
            raise Stale("The account was changed meanwhile.", hint="Look at it again.")
        _require_may_rule(actor, before.role)
        _require_may_rule(actor, wanted.get("role", before.role))
        _keep_an_owner(con, before, wanted)
        return apply(con, by, before, wanted)

    after = await core.db.write(store)
    core.door.forget()
    return after


def apply(con: sqlite3.Connection, by: By, before: User, wanted: Mapping[str, Json]) -> User:
    """As part of another change: store the fields, told; who is disabled is signed out."""
    after = users.change(con, before.id, wanted, by.at)
    if before.is_active and not after.is_active:
        sessions.end_all(con, by, before.id, "disabled")
    told = UserChanged(after.id, after.role, after.is_active)
    audit.tell(con, by, told, before=_shown(before, wanted), after=_shown(after, wanted))
    return after


async def link(actor: Actor, core: Core, user_id: str) -> Link:
    """A link to set a password anew, or to accept an invitation late. Raises `NotFound`."""
    require(actor, Right.USERS_WRITE)

    def make(con: sqlite3.Connection) -> Link:
        user = users.require(con, user_id)
        _require_may_rule(actor, user.role)
        if not user.is_active:
            raise Conflict("This account is disabled.", hint="Enable it first.")
        return links.make(con, core, user_id, PASSWORD if user.has_password else INVITATION)

    return await core.db.write(make)


async def remove(actor: Actor, core: Core, user_id: str) -> None:
    """Forget an account that owns nothing. Raises `NotFound`, `NotAllowed`, `Conflict`."""
    require(actor, Right.USERS_WRITE)
    by = By(actor, timestamp(core.clock.now()))

    def drop(con: sqlite3.Connection) -> None:
        before = users.require(con, user_id)
        _require_may_rule(actor, before.role)
        _keep_an_owner(con, before, {"is_active": False})
        if user_id == core.owner_id:
            raise Conflict("This is the household's own account; the library belongs to it.")
        sessions.end_all(con, by, user_id, "removed")
        users.remove(con, user_id)
        audit.tell(con, by, UserRemoved(user_id), before={"role": before.role})

    await core.db.write(drop)
    core.door.forget()


def version(user: User) -> str:
    """What changes whenever an account does: its ETag."""
    said = repr(replace(user, last_login=None))
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()


# --- what holds --------------------------------------------------------------------------------


def _keep_an_owner(con: sqlite3.Connection, before: User, wanted: Mapping[str, Json]) -> None:
    stays = wanted.get("role", before.role) == OWNER and wanted.get("is_active", before.is_active)
    if before.role != OWNER or stays:
        return
    if wanted.get("role", OWNER) != OWNER and users.household(con) == before.id:
        raise Conflict("This is the household's own account: it stays an owner.")
    if not users.other_active_owners(con, before.id):
        raise Conflict(
            "This is the last owner who can sign in.",
            hint="Make somebody else an owner first; then nobody is locked out.",
        )


def _require_may_rule(actor: Actor, role: str) -> None:
    if role not in RANKS:
        raise Invalid(f"There is no role {role!r}.", hint=f"There are: {', '.join(RANKS)}.")
    if not may_rule(actor, role):
        raise NotAllowed(
            f"You may not decide about somebody who is {role}.",
            hint="Ask an owner of this Darkroom; keys decide about nobody above editor.",
        )


def _checked(fields: Mapping[str, Json]) -> dict[str, Json]:
    if unknown := set(fields) - set(_SPELT):
        raise Invalid(f"An account has no field {sorted(unknown)[0]!r}.")
    told = dict(fields)
    if "username" in told:
        told["username"] = usernames.checked(told["username"])
    if "email" in told:
        told["email"] = usernames.mail(told["email"])
    if told.get("display_name"):
        told["display_name"] = str(told["display_name"])[:_LONGEST_NAME]
    if "is_active" in told:
        told["is_active"] = bool(told["is_active"])
    return told


def _shown(user: User, wanted: Mapping[str, Json]) -> dict[str, Json]:
    """The fields that were asked to change, for the audit log."""
    return {name: getattr(user, name) for name in _SPELT if name in wanted}
