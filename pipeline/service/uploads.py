"""Uploads that can be resumed: begun, sent in pieces, checked, and handed to intake when whole.

A piece that was answered for lies on the disk. What nobody goes on with ends after a day. A
finished file is taken in like any other: moved, verified, then released from where it arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.access.rights import Right, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import Conflict, DarkroomError, Invalid, TooLarge
from pipeline.intake import admit, filesystems, ignore, roots
from pipeline.intake import sweep as sweeping
from pipeline.library import arriving
from pipeline.library.below import Below
from pipeline.model import Actor, Candidate, Priority, Root, RootKind, Take
from pipeline.service import quotas
from pipeline.state import studies, uploads
from pipeline.state.uploads import Upload
from pipeline.work import resources

if TYPE_CHECKING:
    from pipeline.core import Core

FOLDER = "uploads"  # of the home
ABANDONED = timedelta(days=1)
SWEEP_EVERY_S = 3_600.0
LARGEST = 1 << 40
LONGEST_NAME = 1_000
MOST = 20_000  # uploads of one user under way
WRITE_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to be sent. `batch` names what is sent together, so that it lies together."""

    name: str
    size: int
    sha256: str | None = None
    mtime_ns: int | None = None
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The library holds these bytes already: nothing needs to be sent."""

    file_id: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is; `file_id` is the file's, once it was taken in."""

    upload: Upload
    file_id: str | None = None


async def create(actor: Actor, core: Core, wanted: Wanted) -> Upload | Known:
    """Begin an upload, or say that the library has these bytes.

    Raises `Invalid` for what is no upload, `TooLarge` over the quota, `StorageFull` without room.
    """
    require(actor, Right.FILES_ADD)
    _check(wanted)
    if wanted.sha256 is not None:
        twin = await core.db.read(studies.alive_twin, actor.library_id, wanted.sha256, but="")
        if twin is not None:
            return Known(twin)
    now = core.clock.now()
    at = timestamp(now)
    upload = Upload(
        id=new_id(now),
        user_id=actor.user_id,
        library_id=actor.library_id,
        name=wanted.name,
        batch=wanted.batch or f"{now:%Y-%m-%d}",
        size=wanted.size,
        received=0,
        sha256=wanted.sha256,
        mtime_ns=wanted.mtime_ns,
        created_at=at,
        updated_at=at,
    )
    room = await asyncio.to_thread(_room, core)
    await quotas.reserve(actor, core, upload.id, wanted.size, 1)
    try:
        await core.db.write(uploads.add, upload, most=MOST, room=room)
    except DarkroomError:
        await core.db.write(uploads.end, upload.id)
        raise
    return upload


async def get(actor: Actor, core: Core, upload_id: str) -> Upload:
    """One of the actor's uploads. Raises `NotFound`."""
    return await core.db.read(uploads.require, actor.user_id, upload_id)


async def listing(actor: Actor, core: Core, *, after: str = "", limit: int = 100) -> list[Upload]:
    """The actor's uploads under way, the oldest first."""
    return await core.db.read(uploads.listing, actor.user_id, after, limit)


async def receive(
    actor: Actor, core: Core, upload_id: str, offset: int, pieces: AsyncIterator[bytes]
) -> Progress:
    """Go on with an upload at `offset`. What came before a connection broke is kept.

    Raises `Conflict` where the upload stands elsewhere or its checksum is wrong in the end, `Busy`
    while another request goes on with it, `TooLarge` for more than was announced.
    """
    upload = await get(actor, core, upload_id)
    if offset != upload.received:
        raise Conflict(f"This upload stands at {upload.received}, not at {offset}.")
    part = arriving.part_of(_base(core, upload.library_id), upload.id)
    with contextlib.ExitStack() as stack:
        await asyncio.to_thread(_base(core, upload.library_id).mkdir, 0o700, True, True)
        file = await asyncio.to_thread(stack.enter_context, arriving.writing(part))
        upload = await get(actor, core, upload_id)  # nobody changes it from here on
        if offset != upload.received:
            raise Conflict(f"This upload stands at {upload.received}, not at {offset}.")
        came = _Came(file, upload)
        try:
            await came.take(pieces)
        finally:
            await asyncio.shield(_note(core, stack, upload, came))
    upload = replace(upload, received=came.received)
    if upload.received < upload.size:
        return Progress(upload)
    return Progress(upload, await _finish(actor, core, upload, part))


async def abandon(actor: Actor, core: Core, upload_id: str) -> None:
    """End an upload; what has come is forgotten. Raises `NotFound`."""
    upload = await get(actor, core, upload_id)
    await _drop(core, upload)


async def sweep(core: Core) -> int:
    """Forget what nobody went on with for a day, and take in what a crash left behind; how many."""
    before = timestamp(core.clock.now() - ABANDONED)
    old = await core.db.read(uploads.abandoned, before)
    await asyncio.gather(*(_drop(core, upload) for upload in old))
    known = await core.db.read(uploads.known)
    for base in await asyncio.to_thread(_bases, core):
        for stray in await asyncio.to_thread(arriving.strays, base, known):
            await asyncio.to_thread(arriving.drop, stray)
        await _take_left(core, base)
    return len(old)


async def keep_sweeping(core: Core) -> None:
    """Sweep now and every hour, without end."""
    while True:
        with contextlib.suppress(DarkroomError):  # a disk that is away is swept when it is back
            await sweep(core)
        await core.clock.sleep(SWEEP_EVERY_S)


# --- how a piece comes in ----------------------------------------------------------------------


class _Came:
    """What one request brings, written in large steps off the loop."""

    def __init__(self, file: int, upload: Upload) -> None:
        self._file = file
        self._size = upload.size
        self._waiting = bytearray()
        self.received = upload.received

    async def take(self, pieces: AsyncIterator[bytes]) -> None:
        """Write all of it; what came is written also where the rest does not come."""
        try:
            async for piece in pieces:
                if self.received + len(self._waiting) + len(piece) > self._size:
                    raise TooLarge("This is more than was announced.")
                self._waiting += piece
                if len(self._waiting) >= WRITE_AT_ONCE:
                    await self._write()
        finally:
            await self._write()

    async def _write(self) -> None:
        data, self._waiting = bytes(self._waiting), bytearray()
        if data:
            await asyncio.to_thread(arriving.put, self._file, self.received, data)
            self.received += len(data)


async def _note(core: Core, stack: contextlib.ExitStack, upload: Upload, came: _Came) -> None:
    """First the bytes are on the disk, then the state says so."""
    await asyncio.to_thread(stack.close)
    if came.received > upload.received:
        at = timestamp(core.clock.now())
        await core.db.write(uploads.advance, upload, came.received, at)


async def _finish(actor: Actor, core: Core, upload: Upload, part: Below) -> str:
    name = arriving.name_of(upload.batch, upload.name)
    try:
        settled = await asyncio.to_thread(
            arriving.settle, part, name, upload.size, upload.sha256, upload.mtime_ns
        )
    except Conflict:
        await _drop(core, upload)
        raise
    root = await _root(core, upload.library_id)
    file_id = await _admit(actor.label, core, root, settled)
    await core.db.write(uploads.end, upload.id)
    return file_id


async def _admit(label: str, core: Core, root: Root, settled: Below) -> str:
    found = await asyncio.to_thread(settled.path.stat)
    relative = settled.relative
    candidate = Candidate(root.id, relative, found.st_size, found.st_mtime_ns, found.st_ino)
    request = await _request(label, root)
    admitted = await admit.admit(core.db, core.clock, request, [candidate])
    return (*admitted.new, *admitted.known)[0]


async def _request(label: str, root: Root) -> admit.Request:
    stable = await asyncio.to_thread(filesystems.has_stable_inodes, root.path)
    return admit.Request(
        root=root, actor=label, priority=Priority.INTERACTIVE, inodes_are_stable=stable
    )


async def _root(core: Core, library_id: str) -> Root:
    """The folder where a library's uploads arrive; its files are moved away from there."""
    base = _base(core, library_id)
    wanted = roots.Wanted(base, RootKind.MANAGED, Take.MOVE, library_id)
    return await roots.ensure(core.db, core.clock, wanted, own=core.own_folders)


async def _take_left(core: Core, base: Path) -> None:
    """Whole files that were not told to intake: the power went off in between."""
    root = await _root(core, base.name)
    request = await _request("uploads", root)
    await sweeping.sweep_once(core.db, core.clock, request, sweeping.Extent(), quiet_s=0.0)


async def _drop(core: Core, upload: Upload) -> None:
    base = _base(core, upload.library_id)
    if await asyncio.to_thread(base.is_dir):
        await asyncio.to_thread(arriving.drop, arriving.part_of(base, upload.id))
    await core.db.write(uploads.end, upload.id)


def _base(core: Core, library_id: str) -> Path:
    return core.home.path / FOLDER / library_id


def _bases(core: Core) -> list[Path]:
    folder = core.home.path / FOLDER
    return [one for one in folder.iterdir() if one.is_dir()] if folder.is_dir() else []


# --- what is taken -----------------------------------------------------------------------------


def _check(wanted: Wanted) -> None:
    if not wanted.size > 0:
        raise Invalid("An empty file is no photo; nothing needs to be sent.")
    if wanted.size > LARGEST:
        raise TooLarge("This file is larger than any that is taken.")
    if len(wanted.name) > LONGEST_NAME:
        raise Invalid("This name is too long.")
    name = arriving.name_of(wanted.batch or "x", wanted.name)
    told = wanted.name.replace("\\", "/").rpartition("/")[2]
    why = ignore.why_file(told)
    if why is not None:
        raise Invalid(f"{name.rpartition('/')[2]} is not taken: {why}.")


def _room(core: Core) -> int:
    """How many bytes may come before the disk counts as full."""
    disk = next(iter(resources.disks([core.home.path])))
    return disk.free - disk.floor(core.settings.work.min_free_mb << 20)
