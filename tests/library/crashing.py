"""Work for the crash harnesses: a home with files to place, placing it, and placing it wrongly."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from pathlib import Path

from pipeline.library import fsops, moving, placing, recover, trash
from pipeline.library.names import parse
from pipeline.library.trash import Asking
from pipeline.model import BundleRole, Home
from tests.library.world import TEMPLATE, World, add_many, make_home, open_world


def prepare(base: Path, count: int) -> dict[str, str]:
    """A home with `count` studied files in its inbox, a fifth of them in pairs: name -> sha256."""
    home = make_home(base)
    asyncio.run(_prepare(home, count))
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.inbox.iterdir()
        if not path.name.startswith(".")
    }


async def _prepare(home: Home, count: int) -> None:
    async with open_world(home) as world:
        await recover.settle(world.db, world.clock, home)
        pairs = count // 10
        await add_many(world, count - 2 * pairs, size=6000)
        for index in range(pairs):
            name = f"LIVE_{index}"
            await world.bundle(
                (f"{name}.HEIC", name.encode() * 700, BundleRole.PRIMARY),
                (f"{name}.MOV", name.encode() * 900, BundleRole.LIVE_VIDEO),
            )


def place(base: str) -> None:
    """What a start of Darkroom does: settle, then place whatever is studied."""
    asyncio.run(_place(Home.at(Path(base))))


def settle(base: str) -> None:
    """Only the recovery at start."""
    asyncio.run(_settle(Home.at(Path(base))))


def place_wrongly(base: str) -> None:
    """A seeded fault: sources removed before the commit, copies neither synced nor read back."""
    asyncio.run(_place_wrongly(Home.at(Path(base))))


async def _settle(home: Home) -> None:
    async with open_world(home) as world:
        await recover.settle(world.db, world.clock, home)


async def _place(home: Home) -> None:
    async with open_world(home) as world:
        await recover.settle(world.db, world.clock, home)
        results = await placing.place(world.db, world.clock, home, TEMPLATE, await _studied(world))
        failed = [error for error in results.values() if error is not None]
        assert not failed, failed


async def _place_wrongly(home: Home) -> None:
    async with open_world(home) as world:
        for row in await world.query("SELECT * FROM media_files WHERE state = 'studied'"):
            name = os.fsdecode(row["source_path"])
            if not (home.inbox / name).exists():
                continue  # lost track of by an earlier crash: the fault itself
            shutil.copy(home.inbox / name, home.library / name)
            fsops.os.unlink(home.inbox / name)  # the harness counts calls there
            fsops.os.stat(home.library / name)  # a moment to be killed at
            await world.execute(
                "UPDATE media_files SET state = 'done', path = ? WHERE id = ?", name, row["id"]
            )


async def _studied(world: World) -> list[str]:
    rows = await world.query("SELECT id FROM media_files WHERE state = 'studied' ORDER BY id")
    return [row["id"] for row in rows]


def place_only(base: str) -> None:
    """Place whatever is studied, without the recovery: another program may use the library too."""
    asyncio.run(_place_only(Home.at(Path(base))))


async def _place_only(home: Home) -> None:
    async with open_world(home) as world:
        await placing.place(world.db, world.clock, home, TEMPLATE, await _studied(world))


def prepare_shelf(base: Path, count: int) -> dict[str, str]:
    """A home with `count` files already placed, some in pairs: name -> sha256."""
    given = prepare(base, count)
    place(str(base))
    return given


def shuffle(base: str) -> None:
    """Trash, restore and rename whatever can be, as people do."""
    asyncio.run(_shuffle(Home.at(Path(base))))


async def _shuffle(home: Home) -> None:
    async with open_world(home) as world:
        await recover.settle(world.db, world.clock, home)
        asking = Asking(world.owner, "cli:ann")
        rows = await world.rows()
        trashed = [id for id, row in rows.items() if row["state"] == "trashed"]
        shelved = [id for id, row in rows.items() if row["state"] == "done"]
        await trash.restore(world.db, world.clock, home, trashed, asking)
        await trash.put(world.db, world.clock, home, shelved[::3], asking)
        new = "{taken:%m}/{name}" if (home.library / "2023").is_dir() else "2023/{name}"
        plan = await moving.plan(world.db, parse(new), shelved[1::3], asking)
        await moving.move(world.db, world.clock, home, plan)
