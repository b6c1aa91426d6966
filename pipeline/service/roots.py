"""The watched folders: how they are, and a person's word about what vanished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import NotFound
from pipeline.intake import roots
from pipeline.model import Actor
from pipeline.state import roots as stored
from pipeline.state.roots import StoredRoot

if TYPE_CHECKING:
    from pipeline.core import Core


async def listing(actor: Actor, core: Core) -> list[StoredRoot]:
    """The roots of this owner, oldest first."""
    found = await core.db.read(stored.listing)
    return [root for root in found if root.root.owner_id == actor.library_id]


async def one(actor: Actor, core: Core, root_id: str) -> StoredRoot:
    """One root of this owner. Raises `NotFound`."""
    found = [root for root in await listing(actor, core) if root.root.id == root_id]
    if not found:
        raise NotFound("There is no such folder.")
    return found[0]


async def look(actor: Actor, core: Core, root_id: str) -> StoredRoot:
    """Look at a root now: is it there, and is it the folder we know? Raises `NotFound`."""
    await one(actor, core, root_id)
    await roots.check(core.db, core.clock, root_id, actor=actor.label)
    return await one(actor, core, root_id)


async def confirm(actor: Actor, core: Core, root_id: str) -> int:
    """The files missing from the root were really removed: mark them; how many there are.

    Raises `NotFound`, and `StorageOffline` while the root is not there.
    """
    await one(actor, core, root_id)
    return await roots.confirm(core.db, core.clock, root_id, actor=actor.label)
