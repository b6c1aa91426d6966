"""Visits on this machine: one child process per slot, each serving one visit at a time.

A child that dies, hangs, or breaks the protocol costs the visit it had and nothing else: it is
killed with everything it started, and the next visit of its slot gets a fresh one. Work
directories are emptied through the library's file operations when their reply is released.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.errors import DecodeFailed
from pipeline.library import fsops
from pipeline.work.workers import wire
from pipeline.work.workers.contract import (
    LINE_LIMIT,
    VisitReply,
    VisitRequest,
    WorkerKilled,
)
from pipeline.work.workers.limits import Limits
from pipeline.work.workers.process import Child, ChildGone, Launch, start_child

MIB = 1 << 20
SWEEP = 32  # released work directories are removed this many at a time


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """How many children there are, and what each may take."""

    slots: int
    limits: Limits = field(default_factory=Limits)
    timeout_s: float = 120.0  # a visit may take this long ...
    timeout_s_per_mib: float = 0.25  # ... and this much more for each MiB of the file
    cpu_s: int | None = None  # CPU seconds of one visit; None: as long as it may take
    visits_per_child: int = 200
    resident: int = 1024 * MIB  # a child that keeps more than this is replaced; models take 600
    stages: str = "pipeline.stages"
    is_warm: bool = True  # import the decoders before the first visit
    models: Path | None = None  # folder of model files
    keep: Path | None = None  # where finished pieces of long work may lie, beyond a visit
    accelerates: bool = False  # networks and video encoders may use a GPU or NPU

    def allowance_s(self, request: VisitRequest) -> float:
        """Seconds that a visit may take: what was asked for, else by the size of the file."""
        by_size = self.timeout_s + self.timeout_s_per_mib * request.size / MIB
        return by_size if request.timeout_s is None else request.timeout_s


@contextlib.asynccontextmanager
async def open_workers(settings: LocalSettings, work: Path) -> AsyncIterator[LocalWorkers]:
    """Start the children below `work`; on leaving, kill them all and remove what they wrote."""
    await asyncio.to_thread(_prepare, work, settings)
    workers = LocalWorkers(settings, work)
    try:
        workers.start()
        yield workers
    finally:
        await asyncio.shield(workers.close())


def _prepare(work: Path, settings: LocalSettings) -> None:
    work.mkdir(parents=True, exist_ok=True)
    _remove([path for path in work.iterdir() if path.is_dir()])  # of a run that was killed
    if settings.keep is not None:
        settings.keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    for index in range(settings.slots):
        (work / f"slot-{index}").mkdir(mode=0o700)


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        if folder.is_dir():
            fsops.empty_directory(folder)
            fsops.drop_empty_folders(folder.parent, folder.name)


class LocalWorkers:
    """Keeps the `Workers` promise with child processes of its own."""

    def __init__(self, settings: LocalSettings, work: Path) -> None:
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="worker-start")
        self._slots = tuple(
            Slot(settings, work, index, self._starter) for index in range(settings.slots)
        )
        self._free: asyncio.LifoQueue[Slot] = asyncio.LifoQueue(settings.slots)
        self._released: list[Path] = []
        for slot in self._slots:
            self._free.put_nowait(slot)

    @property
    def slots(self) -> int:
        """See `Workers.slots`."""
        return len(self._slots)

    @property
    def child_pids(self) -> tuple[int, ...]:
        """Process ids of the children that live now."""
        return tuple(slot.child.pid for slot in self._slots if slot.child is not None)

    @property
    def busy(self) -> int:
        """How many visits run now."""
        return len(self._slots) - self._free.qsize()

    @property
    def started(self) -> int:
        """How many children were started so far."""
        return sum(slot.started for slot in self._slots)

    def start(self) -> None:
        """Begin starting every child, so that the first visits find them ready."""
        for slot in self._slots:
            slot.start_soon()

    async def protections(self) -> dict[str, bool]:
        """What the children's confinement consists of here, for `doctor`."""
        slot = await self._free.get()
        try:
            return await slot.protections()
        finally:
            self._free.put_nowait(slot)

    async def visit(self, request: VisitRequest) -> VisitReply:
        """See `Workers.visit`; waits for a free slot. Cancelling kills the visit's child."""
        slot = await self._free.get()
        try:
            return await slot.visit(request)
        finally:
            self._free.put_nowait(slot)

    async def release(self, reply: VisitReply) -> None:
        """See `Workers.release`."""
        self._released.append(reply.workdir)
        if len(self._released) >= SWEEP:
            await self._sweep()

    async def close(self) -> None:
        """Kill every child and remove all work directories. Idempotent."""
        await asyncio.gather(*(slot.stop() for slot in self._slots))
        self._released.extend(slot.work for slot in self._slots)
        await self._sweep()
        self._starter.shutdown(wait=False)

    async def _sweep(self) -> None:
        released, self._released = self._released, []
        await asyncio.to_thread(_remove, released)


class Slot:
    """A place for one child; replaces it whenever it is dead, used up or not to be trusted."""

    def __init__(self, settings: LocalSettings, work: Path, index: int, starter: Executor) -> None:
        self.work = work / f"slot-{index}"
        self.index = index
        self.child: Child | None = None
        self.started = 0
        self._settings = settings
        self._starter = starter
        self._starting: asyncio.Task[Child] | None = None

    def start_soon(self) -> None:
        """Start a child in the background; `visit` waits for it."""
        settings = self._settings
        log = self.work.with_suffix(".log")
        launch = Launch(
            work=self.work,
            log=log,
            limits=settings.limits,
            stages=settings.stages,
            is_warm=settings.is_warm,
            models=settings.models,
            accelerates=settings.accelerates,
            keep=settings.keep,
        )
        self.started += 1
        self._starting = asyncio.create_task(
            start_child(launch, self._starter), name=f"start {self.work.name}"
        )

    async def protections(self) -> dict[str, bool]:
        """What the child said about its confinement."""
        return (await self._ready()).protections

    async def visit(self, request: VisitRequest) -> VisitReply:
        """Run one visit on this slot's child; any failure here replaces the child."""
        child = await self._ready()
        try:
            answer = await self._serve(child, request)
        except BaseException:
            await self._replace()
            raise
        if self._is_used_up(child, answer):
            await self._replace()
        return replace(answer.reply, slot=self.index)

    async def stop(self) -> None:
        """Kill the child and whatever it started."""
        starting, self._starting = self._starting, None
        child, self.child = self.child, None
        if starting is not None:
            starting.cancel()
            await asyncio.wait([starting])
            if not starting.cancelled() and starting.exception() is None:
                child = starting.result()
        if child is not None:
            await child.kill()

    async def _serve(self, child: Child, request: VisitRequest) -> wire.Answer:
        workdir = self.work / request.visit_id
        allowance_s = self._settings.allowance_s(request)
        cpu_s = self._settings.cpu_s or int(allowance_s) + 1
        line = wire.errand_to_json(wire.Errand(request, workdir, cpu_s))
        if len(line) > LINE_LIMIT:
            raise DecodeFailed("More is known about this file than fits.", path=request.path)
        try:
            async with asyncio.timeout(allowance_s):
                reply = await child.ask(line)
        except TimeoutError:
            message = f"Reading this file took longer than {allowance_s:.0f} seconds."
            raise DecodeFailed(message, path=request.path) from None
        except ChildGone as gone:
            message = f"The program that reads this file failed: {gone}."
            blame = WorkerKilled if gone.was_killed else DecodeFailed
            raise blame(message, path=request.path) from None
        return wire.reply_from_json(reply, request, workdir)

    async def _ready(self) -> Child:
        if self.child is not None and not self.child.is_alive:
            await self.stop()  # it died between visits: nobody's fault
        if self.child is None:
            if self._starting is None:
                self.start_soon()
            assert self._starting is not None
            starting = self._starting
            try:
                self.child = await asyncio.shield(starting)
            finally:
                if starting.done() and self._starting is starting:
                    self._starting = None
        return self.child

    async def _replace(self) -> None:
        await asyncio.shield(self.stop())
        self.start_soon()

    def _is_used_up(self, child: Child, answer: wire.Answer) -> bool:
        settings = self._settings
        return (
            answer.is_spent
            or child.visits >= settings.visits_per_child
            or answer.rss > settings.resident
        )
