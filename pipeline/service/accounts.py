"""One's own account: who I am, my name, my password, and where else I can sign in."""

from __future__ import annotations

import functools
import sqlite3
from typing import TYPE_CHECKING

from pipeline.access import passwords, usernames
from pipeline.access.in_person import require_in_person
from pipeline.access.rights import Right, allows, require
from pipeline.clock import timestamp
from pipeline.errors import NotAllowed
from pipeline.events import IdentityUnlinked, UserChanged
from pipeline.model import Actor
from pipeline.service import links, signing_in
from pipeline.state import audit, identities, throttle, users
from pipeline.state.audit import By
from pipeline.state.identities import Identity
from pipeline.state.users import User

if TYPE_CHECKING:
    from pipeline.core import Core


async def me(actor: Actor, core: Core) -> User:
    """The actor's account. Raises `NotFound`."""
    return await core.db.read(users.require, actor.user_id)


async def rename_me(
    actor: Actor, core: Core, *, display_name: str | None, email: str | None
) -> User:
    """Be shown under another name, or give another mail.

    Where a provider opens accounts by their mail, only administrators give one: nobody may take
    what will open somebody else's. Raises `Conflict`, `Invalid`, `NotAllowed`.
    """
    require(actor, Right.ACCOUNT_WRITE)
    require_in_person(actor)
    by = By(actor, timestamp(core.clock.now()))
    wanted = {"display_name": display_name or None, "email": usernames.mail(email)}

    def change(con: sqlite3.Connection) -> User:
        is_other = wanted["email"] != users.require(con, actor.user_id).email
        if is_other and _mail_opens_accounts(core) and not allows(actor, Right.USERS_WRITE):
            raise NotAllowed("Here an administrator notes addresses of mail.")
        after = users.change(con, actor.user_id, wanted, by.at)
        audit.tell(con, by, UserChanged(after.id, after.role, after.is_active))
        return after

    return await core.db.write(change)


async def change_password(
    actor: Actor, core: Core, current: str, wanted: str, *, keep: str | None = None
) -> None:
    """Another password, for who knows the present one. Every session but `keep` ends.

    Raises `NotAllowed` when the present one is wrong, `Invalid` for a bad new one, `RateLimited`.
    """
    require(actor, Right.ACCOUNT_WRITE)
    await require_password(actor, core, current)
    user = await me(actor, core)
    passwords.check(wanted, user.username, core.settings.accounts.password_length)
    hashed = await core.door.hashing(functools.partial(passwords.hashed, wanted))
    by = By(actor, timestamp(core.clock.now()))
    await core.db.write(links.set_password, by, user.id, hashed, keep=keep)
    core.door.forget()


async def require_password(actor: Actor, core: Core, password: str) -> None:
    """Before what is not easily undone: whoever is signed in must know the password.

    An account without one (its owner signs in elsewhere) has nothing to ask for. Raises
    `NotAllowed`, `RateLimited`.
    """
    require_in_person(actor)
    known = await core.db.read(users.secret_by_id, actor.user_id)
    if known.hash is None:
        return
    bucket = throttle.bucket("present", actor.user_id)
    await signing_in.slow_down(core, [bucket])
    if not await signing_in.verify(core, known.hash, password):
        raise NotAllowed("This is not your present password.", hint="Nothing was changed.")
    await core.db.write(throttle.give_back, [bucket])


async def identities_of(actor: Actor, core: Core) -> list[Identity]:
    """The login providers that open the actor's account."""
    return await core.db.read(identities.listing, actor.user_id)


async def forget_identity(actor: Actor, core: Core, issuer: str) -> None:
    """Let a provider open the account no more. Raises `NotAllowed` when nothing else would."""
    require(actor, Right.ACCOUNT_WRITE)
    require_in_person(actor)
    by = By(actor, timestamp(core.clock.now()))

    def change(con: sqlite3.Connection) -> None:
        if users.secret_by_id(con, actor.user_id).hash is None:
            raise NotAllowed("Nothing else opens your account.", hint="Set a password first.")
        if identities.forget(con, actor.user_id, issuer):
            audit.tell(con, by, IdentityUnlinked(actor.user_id, issuer))

    await core.db.write(change)


def _mail_opens_accounts(core: Core) -> bool:
    return any(one.links_mail for one in core.settings.accounts.providers.values())
