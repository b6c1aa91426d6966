"""Quotas: what each may keep, and the promise of room that every upload asks for first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.access.rights import Right, require
from pipeline.clock import timestamp
from pipeline.errors import Invalid, NotAllowed
from pipeline.model import Actor
from pipeline.service import audit
from pipeline.state import quotas
from pipeline.state.quotas import Limits, Quota, Room, Wanted

if TYPE_CHECKING:
    from pipeline.core import Core

PROMISED_FOR = timedelta(days=1)  # an upload that nobody goes on with holds no room for ever
COUNT_EVERY = timedelta(minutes=10)  # how old the sum of what was made of files may be


async def listing(actor: Actor, core: Core) -> list[Quota]:
    """Everybody's limits and usage, by name."""
    require(actor, Right.USERS_READ)
    return await core.db.read(quotas.listing, timestamp(core.clock.now()))


async def get(actor: Actor, core: Core, user_id: str) -> Quota:
    """One's own limits and usage, or anybody's for who may see all accounts.

    Raises `NotFound`.
    """
    require(actor, Right.ACCOUNT_READ if user_id == actor.user_id else Right.USERS_READ)
    await _count_derived(core, user_id)
    return await core.db.read(quotas.get, user_id, timestamp(core.clock.now()))


async def put(
    actor: Actor, core: Core, user_id: str, limits: Limits, seen: int | None = None
) -> Quota:
    """Give somebody limits, or others. Raises `NotFound`, `Invalid`, `Stale`.

    What they keep already stays, whatever the limits are.
    """
    require(actor, Right.USERS_WRITE)
    for soft, hard in (
        (limits.soft_bytes, limits.hard_bytes),
        (limits.soft_files, limits.hard_files),
    ):
        if soft is not None and hard is not None and soft > hard:
            raise Invalid("The soft limit is above the hard one: nobody would ever be told.")
    quota = await core.db.write(quotas.put, audit.by(actor, core), user_id, limits, seen)
    await _count_derived(core, user_id)
    return quota


async def lift(actor: Actor, core: Core, user_id: str, seen: int | None = None) -> None:
    """Take somebody's limits away. Raises `NotFound`, `Stale`."""
    require(actor, Right.USERS_WRITE)
    await core.db.write(quotas.lift, audit.by(actor, core), user_id, seen)


async def reserve(actor: Actor, core: Core, reservation_id: str, size: int, files: int) -> Room:
    """Room for an upload into the library that is asked about. Raises `TooLarge`: no room.

    Given back with `state.quotas.release`, in the transaction that makes the upload a file or ends
    it; by itself after a day. The same id asks anew.
    """
    require(actor, Right.FILES_ADD)
    if min(size, files) < 0:
        raise NotAllowed("Nobody has less than nothing.")
    owner, now = actor.library_id, core.clock.now()
    await _count_derived(core, owner)
    wanted = Wanted(reservation_id, owner, size, files, timestamp(now + PROMISED_FOR))
    return await core.db.write(quotas.reserve, wanted, timestamp(now))


async def _count_derived(core: Core, user_id: str) -> None:
    """Where derivatives count, count them if that was long ago: it takes too long for a write."""
    since = await core.db.read(quotas.derived_since, user_id)
    now = core.clock.now()
    if since is None or since > timestamp(now - COUNT_EVERY):
        return
    total = await core.db.read(quotas.derived_bytes, user_id)
    await core.db.write(quotas.keep_derived, user_id, total, timestamp(now))
