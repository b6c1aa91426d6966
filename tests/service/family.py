"""A small library with a household over it: what the use cases are tried on, without workers."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from pipeline.core import OWNER_ROLE, Core, Mode
from pipeline.library import placing, recover
from pipeline.model import Actor, BundleRole, Surface
from pipeline.service import batch
from pipeline.service.batch import BatchResult
from pipeline.service.requests import Operation
from pipeline.state.hub import Hub
from pipeline.state.progress import Board
from tests.library.world import TEMPLATE, World, make_home, open_world

Tables = dict[str, list[tuple[object, ...]]]
LIVE = "2023/2023-10/IMG_9.HEIC"


@dataclass(frozen=True, slots=True)
class Family:
    """Three photos and a Live Photo with its sidecar, placed; `ids` by path below the library."""

    world: World
    core: Core
    actor: Actor
    ids: dict[str, str]

    @property
    def photos(self) -> list[str]:
        """The photos that stand alone, by path."""
        return [path for path in self.ids if "IMG_9" not in path]

    async def run(
        self, operation: Operation, *files: str | None, dry_run: bool = False
    ) -> BatchResult:
        """One batch over these files."""
        wanted = [file for file in files if file is not None]
        return await batch.run(self.actor, self.core, wanted, operation, dry_run=dry_run)

    async def place(self, added: Sequence[str]) -> None:
        """Put more files into the library."""
        world = self.world
        await placing.place(world.db, world.clock, world.home, TEMPLATE, added)

    def tree(self) -> dict[str, str]:
        """All files of the home but the state, with the hash of their bytes."""
        home = self.world.home.path
        return {
            str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(home.rglob("*"))
            if path.is_file() and not path.is_relative_to(self.world.home.state)
        }

    async def tables(self) -> Tables:
        """Every row of the state."""
        names = await self.world.query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return {
            row["name"]: [tuple(r) for r in await self.world.query(f"SELECT * FROM {row['name']}")]
            for row in names
        }

    async def tags(self, path: str) -> dict[str, str]:
        """The tags of a file, and who gave them."""
        rows = await self.world.query(
            "SELECT tag, source FROM tags WHERE file_id = ? AND is_removed = 0 ORDER BY tag",
            self.ids[path],
        )
        return {row["tag"]: row["source"] for row in rows}


@asynccontextmanager
async def open_family(base: Path) -> AsyncIterator[Family]:
    """A new family at `base`."""
    async with open_world(make_home(base)) as world:
        await recover.settle(world.db, world.clock, world.home)
        added = [await world.add(f"IMG_{n}.jpg", f"photo {n}".encode()) for n in range(3)]
        added += await world.bundle(
            ("IMG_9.HEIC", b"still", BundleRole.PRIMARY),
            ("IMG_9.MOV", b"moving", BundleRole.LIVE_VIDEO),
            ("IMG_9.xmp", b"<x/>", BundleRole.SIDECAR),
        )
        await placing.place(world.db, world.clock, world.home, TEMPLATE, added)
        rows = await world.rows()
        core = Core(
            Settings(),
            world.home,
            world.clock,
            world.db,
            world.owner,
            Mode.CHANGE,
            TEMPLATE,
            hub=Hub(world.db),
            board=Board(world.clock),
        )
        ids = {str(rows[one]["path"]): one for one in added}
        yield Family(world, core, Actor(world.owner, OWNER_ROLE, Surface.SCRIPT), ids)
