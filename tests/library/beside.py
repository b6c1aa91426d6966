"""Work for the crash harness: sidecars written beside photos again and again, and what follows."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from pipeline.library import recover, replacing, sidecars
from pipeline.library.sidecars import Plan
from pipeline.library.trash import Asking
from pipeline.model import Home
from pipeline.state import sidecars as stored
from pipeline.state import tags
from pipeline.state.tags import Wanted
from tests.library.world import World, open_world


def write_in(base: str) -> None:
    """What a start of Darkroom does, then other tags for every photo, then their sidecars."""
    asyncio.run(_write_in(Home.at(Path(base)), is_resumed=True))


def write_carelessly(base: str) -> None:
    """A seeded fault: a start that does not know of sidecars that were being written."""
    asyncio.run(_write_in(Home.at(Path(base)), is_resumed=False))


def settle(base: str) -> None:
    """Only what a start does."""
    asyncio.run(_settle(Home.at(Path(base))))


def settle_carelessly(base: str) -> None:
    """A seeded fault: as above."""
    asyncio.run(_settle(Home.at(Path(base)), is_resumed=False))


async def _settle(home: Home, *, is_resumed: bool = True) -> None:
    async with open_world(home) as world:
        await _put_right(world, is_resumed=is_resumed)


async def _put_right(world: World, *, is_resumed: bool) -> None:
    await recover.settle(world.db, world.clock, world.home)
    if is_resumed:
        await sidecars.resume(world.db, world.clock, world.home)
        await replacing.resume(world.db, world.clock, world.home, days=30)


async def _write_in(home: Home, *, is_resumed: bool) -> None:
    async with open_world(home) as world:
        await _put_right(world, is_resumed=is_resumed)
        rows = await world.query("SELECT id FROM media_files WHERE category = 'photo'")
        ids, job = [row["id"] for row in rows], await world.job()
        for one in ids:
            wanted = Wanted((secrets.token_hex(4),), ())
            await world.db.write(
                tags.change, world.owner, [one], wanted, world.clock, job_id=job, actor="cli:ann"
            )
        said = await world.db.read(stored.sayable, world.owner, ids)
        plans = [one for one in sidecars.plan(home, said) if isinstance(one, Plan)]
        asking = Asking(world.owner, "cli:ann", job=job, reason="said anew")
        left = await sidecars.write(world.db, world.clock, home, plans, asking, days=30)
        assert left == [], left
