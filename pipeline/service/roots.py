"""The watched folders: how they are, and a person's word about what vanished."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


async def confirm(actor: Actor, core: Core, root_id: str) -> int:
    """The files missing from the root were really removed: mark them; how many there are."""
    return await roots.confirm(core.db, core.clock, root_id, actor=actor.label)
