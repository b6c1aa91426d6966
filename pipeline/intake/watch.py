"""Watching roots: what appears is taken when it is finished, for as long as the program runs.

Change notices make it quick, a full sweep now and then makes it sure; where notices do not come
(network disks, too many folders) looking regularly is all there is. A root that vanishes is left
alone and taken up again when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from pipeline.clock import Clock
from pipeline.errors import DarkroomError
from pipeline.intake import filesystems, roots, stock
from pipeline.intake.admit import Request
from pipeline.intake.notices import extents, notices
from pipeline.intake.posts import Post, Posts
from pipeline.intake.roots import Online
from pipeline.intake.stock import Limits
from pipeline.intake.sweep import Extent, Sweeper, Swept
from pipeline.model import Root, RootKind, Take
from pipeline.state.connection import Database

log = structlog.get_logger(__name__)

Changes = Callable[[Path], AsyncIterator[set[str]]]  # absolute paths that changed, until cancelled

_LOOK_S = 10.0  # how soon a root that vanished or is back is noticed
_NOTICE_LIMIT = 2000  # more changed paths at once: a full sweep is cheaper


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the watch is."""

    quiet_s: float = 10.0
    rescan_s: float = 900.0
    limits: Limits = field(default_factory=Limits)


async def watch(  # noqa: PLR0913 - the two last are for tests and for who changes what is watched
    db: Database,
    clock: Clock,
    watched: Sequence[Root],
    pace: Pace,
    *,
    skip: Sequence[Path] = (),
    changes: Changes = notices,
    posts: Posts | None = None,
) -> None:
    """Watch these roots until cancelled, and those that `posts` are given meanwhile.

    `skip` are our own folders, should they lie in a root.
    """
    posts = posts or Posts()
    async with asyncio.TaskGroup() as tasks:

        def begin(root: Root) -> Post:
            watcher = _Watcher(db, clock, root, pace, tuple(skip), changes)
            task = tasks.create_task(watcher.run(), name=f"watch {root.path}")
            return Post(watcher.look_soon, task.cancel)

        with posts.manned(begin):
            for root in watched:
                posts.begin(root)
            await asyncio.Event().wait()


class _Watcher:
    """Looks after one root."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        root: Root,
        pace: Pace,
        skip: tuple[Path, ...],
        changes: Changes,
    ) -> None:
        self._db = db
        self._clock = clock
        self._root = root
        self._pace = pace
        self._skip = skip
        self._changes = changes
        self._changed: set[str] = set()
        self._woken = asyncio.Event()
        self._full_at = clock.monotonic()
        self._counted_at = -math.inf

    async def run(self) -> None:
        """Until cancelled: while the root is there, sweep it; while it is not, wait."""
        while True:
            try:
                if isinstance(await self._health(), Online):
                    await self._while_online()
            except (DarkroomError, OSError) as error:  # this root waits, the others go on
                log.warning("watch.interrupted", root=str(self._root.path), error=str(error))
            await self._clock.sleep(_LOOK_S)

    def look_soon(self) -> None:
        """Sweep the whole root at the next turn, as if its time had come."""
        self._full_at = -math.inf
        self._woken.set()

    async def _while_online(self) -> None:
        """Returns when the root is not there any more, or is mounted anew."""
        path = self._root.path
        stable = await asyncio.to_thread(filesystems.has_stable_inodes, path)
        request = Request(self._root, actor="watch", inodes_are_stable=stable)
        sweeper = Sweeper(self._db, self._clock, request, self._pace.quiet_s)
        self._full_at = self._clock.monotonic()
        armed = await asyncio.to_thread(_identity, path)
        async with _running(self._listen(), f"notices of {path}"):
            while isinstance(await self._health(), Online):
                if await asyncio.to_thread(_identity, path) != armed:
                    return  # notices come from the old mount only
                await self._look(sweeper)
                await self._pause(sweeper)

    async def _health(self) -> roots.Health:
        """Before each full sweep, files that should stay in the root are counted too."""
        holds_files = self._root.kind is RootKind.LIBRARY or self._root.take is Take.INDEX
        if not holds_files or self._clock.monotonic() < self._counted_at + self._pace.rescan_s:
            return await roots.check(self._db, self._clock, self._root.id)
        self._counted_at = self._clock.monotonic()
        return await stock.take_stock(self._db, self._clock, self._root.id, self._pace.limits)

    async def _look(self, sweeper: Sweeper) -> None:
        """A full sweep when it is due, else what was noticed, and what was not finished."""
        changed, self._changed = self._changed, set()
        self._woken.clear()
        if self._clock.monotonic() >= self._full_at or len(changed) > _NOTICE_LIMIT:
            self._full_at = self._clock.monotonic() + self._pace.rescan_s
            if self._root.kind is not RootKind.LIBRARY:
                self._tell(await sweeper.sweep(Extent(skip=self._skip)))
            return
        for extent in await asyncio.to_thread(extents, self._root.path, changed, self._skip):
            self._tell(await sweeper.sweep(extent))
        if (next_at := sweeper.next_at) is not None and next_at <= self._clock.monotonic():
            self._tell(await sweeper.settle())

    async def _pause(self, sweeper: Sweeper) -> None:
        """Until something changes, may be finished or is due; never long, for roots vanish."""
        now = self._clock.monotonic()
        due = min(self._full_at, sweeper.next_at or self._full_at, now + _LOOK_S)
        async with (
            _running(self._clock.sleep(max(due - now, 0.05)), "watch pause") as pause,
            _running(self._woken.wait(), "watch woken") as woken,
        ):
            await asyncio.wait({pause, woken}, return_when=asyncio.FIRST_COMPLETED)

    async def _listen(self) -> None:
        """Collect notices; if they cannot be had, the regular sweeps are left."""
        try:
            async for changed in self._changes(self._root.path):
                self._changed |= changed
                self._woken.set()
        except (OSError, RuntimeError) as error:
            log.warning("watch.no_notices", root=str(self._root.path), error=str(error))

    def _tell(self, swept: Swept) -> None:
        for problem in swept.problems:
            log.warning("watch.problem", path=problem.path, reason=problem.reason)
        if swept.new:
            log.info("watch.found", root=str(self._root.path), files=len(swept.new))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextlib.asynccontextmanager
async def _running(
    work: Coroutine[object, object, object], name: str
) -> AsyncIterator[asyncio.Task[object]]:
    """`work` as a task that ends with the block."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
