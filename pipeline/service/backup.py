"""Snapshots of the state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipeline.errors import NotFound
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.model import Actor
from pipeline.state import snapshots
from pipeline.state.snapshots import Snapshot

__all__ = ["Snapshot", "listing", "one", "take"]

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.core import Core


async def take(actor: Actor, core: Core) -> Snapshot:
    """Write a snapshot now, check it, and thin out the old ones."""
    label = f"by-{actor.surface}"
    database = core.home.database
    snapshot = await asyncio.to_thread(snapshots.take, database, core.clock.now(), label)
    await asyncio.to_thread(snapshots.thin_out, database, _remover(core))
    return snapshot


async def listing(actor: Actor, core: Core) -> list[Snapshot]:
    """The snapshots there are, newest first."""
    return await asyncio.to_thread(snapshots.listing, core.home.database)


async def one(actor: Actor, core: Core, name: str) -> Snapshot:
    """The snapshot of this name. Raises `NotFound`."""
    for found in await listing(actor, core):
        if found.path.name == name:
            return found
    raise NotFound("There is no such snapshot.")


def _remover(core: Core) -> snapshots.Remove:
    state = core.home.state

    def remove(path: Path) -> None:
        fsops.remove_own_file(Below(state, str(path.relative_to(state))))

    return remove
