"""Copies that stand for their originals: what tests and the crash harness do with them."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from pipeline.clock import new_id, timestamp
from pipeline.library import fsops, recover, replacing
from pipeline.library.below import Below
from pipeline.library.replacing import Replacing
from pipeline.library.trash import Asking
from pipeline.model import Home
from pipeline.state import renditions
from pipeline.state.renditions import Rendition
from pipeline.state.replacements import Copy
from tests.library.world import World, open_world, write


async def a_copy(world: World, file_id: str, data: bytes, extension: str) -> Replacing:
    """A rendition of the file in the cache, known to the state as an optimised copy of it."""
    row = await world.row(file_id)
    sha256 = hashlib.sha256(data).hexdigest()
    made = Below(world.home.cache, f"{sha256}{extension}")
    found = write(made.path, data).stat()
    rendition = Rendition(
        id=new_id(world.clock.now()), file_id=file_id, owner_id=world.owner, job_id=None,
        stage="optimise", version=1, params="{}", sha256=row["sha256"], outcome="made",
        reason=None, facts={}, kind="optimised", path=made.relative, mime="image/avif", width=4,
        height=3, made_sha256=sha256, bytes_before=row["size"], bytes_after=len(data),
        original_id=None, made_at=timestamp(world.clock.now()), replaced_at=None,
    )  # fmt: skip
    known = await world.query("SELECT id FROM renditions WHERE sha256 = ?", row["sha256"])
    if not known:
        await world.db.write(renditions.add, rendition)
    kind = "jpeg" if extension == ".jpg" else "avif"
    copy = Copy(
        sha256, kind, "photo", f"image/{kind}", len(data), found.st_mtime_ns, found.st_ino, 4, 3
    )
    rendition_id = known[0]["id"] if known else rendition.id
    return Replacing(file_id, rendition_id, made, copy, extension)


async def replace_all(world: World, extension: str, job: str | None = None) -> None:
    """Put a copy in the place of every file that is its own original."""
    replaced = await world.query("SELECT file_id FROM renditions WHERE replaced_at IS NOT NULL")
    others = await world.query("SELECT original_id FROM renditions WHERE original_id IS NOT NULL")
    done = {row[0] for row in (*replaced, *others)}
    for file_id, row in (await world.rows()).items():
        is_copy = row["source_path"].startswith(b".renditions/")
        if file_id in done or is_copy or row["state"] != "done":
            continue
        wanted = await a_copy(world, file_id, b"small " + row["sha256"].encode(), extension)
        asking = Asking(world.owner, "cli:ann", job=job, reason="smaller")
        await replacing.replace_file(world.db, world.clock, world.home, wanted, asking, days=30)


def replace_in(base: str) -> None:
    """What a start of Darkroom does, and then a job that replaces everything."""
    asyncio.run(_replace_in(Home.at(Path(base))))


async def _replace_in(home: Home) -> None:
    async with open_world(home) as world:
        await _put_right(world)
        await replace_all(world, ".jpg")


def settle(base: str) -> None:
    """Only what a start does."""
    asyncio.run(_settle(Home.at(Path(base))))


async def _settle(home: Home) -> None:
    async with open_world(home) as world:
        await _put_right(world)


async def _put_right(world: World) -> None:
    await recover.settle(world.db, world.clock, world.home)
    await replacing.resume(world.db, world.clock, world.home, days=30)


def replace_wrongly(base: str) -> None:
    """A seeded fault: the original is removed first, and only then the copy put in its place."""
    asyncio.run(_replace_wrongly(Home.at(Path(base))))


async def _replace_wrongly(home: Home) -> None:
    async with open_world(home) as world:
        for row in await world.query("SELECT path, sha256 FROM media_files WHERE state = 'done'"):
            if not (home.library / row["path"]).exists():
                continue  # lost by an earlier kill: the fault itself
            fsops.os.unlink(home.library / row["path"])  # the harness counts calls there
            fsops.os.stat(home.library)  # a moment to be killed at
            write(home.library / row["path"], b"small " + row["sha256"].encode())
