"""The trash: put away, look, take back, empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.library import trash
from pipeline.library.renaming import Kept, Renamed
from pipeline.library.trash import Asking, PurgePlan
from pipeline.model import Actor
from pipeline.service import files
from pipeline.state import trash as stored
from pipeline.state.trash import Entry

if TYPE_CHECKING:
    from pipeline.core import Core

Result = Renamed | Kept


async def put(actor: Actor, core: Core, wanted: Sequence[str], *, reason: str = "") -> list[Result]:
    """Trash files (ids or library paths), each with its bundle; one result per file moved."""
    ids = [row.id for row in await files.resolve(actor, core, wanted)]
    asking = Asking(actor.library_id, actor.label, reason=reason)
    days = core.settings.library.trash_days
    return await trash.put(core.db, core.clock, core.home, ids, asking, days=days)


async def listing(actor: Actor, core: Core) -> list[Entry]:
    """What is in the actor's trash, newest first."""
    return await trash.listing(core.db, actor.library_id)


async def page(
    actor: Actor, core: Core, *, after: tuple[str, str] | None = None, limit: int = 100
) -> list[Entry]:
    """Part of the actor's trash, newest first, behind the entry with this time and id."""
    return await core.db.read(stored.page, actor.library_id, after, limit)


async def restore(actor: Actor, core: Core, file_ids: Sequence[str]) -> list[Result]:
    """Bring files back to where they were, each with its bundle."""
    asking = Asking(actor.library_id, actor.label)
    return await trash.restore(core.db, core.clock, core.home, file_ids, asking)


async def purge_plan(actor: Actor, core: Core, everything: bool = False) -> PurgePlan:
    """Exactly what a purge would delete: what is over its time, or everything."""
    return await trash.plan_purge(core.db, core.clock, actor.library_id, everything=everything)


async def purge(actor: Actor, core: Core, plan: PurgePlan) -> tuple[list[Entry], list[Kept]]:
    """Delete for good what the plan lists and is still so; what went and what was kept."""
    return await trash.purge(core.db, core.clock, core.home, plan, actor=actor.label)
