"""Reads the machine and the work every ten seconds, and keeps what it read.

Samples are written once a minute, so that an idle disk may rest; the newest are in memory. Coarse
ones are made of them, and old ones and old spans forgotten, every five minutes.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from pipeline.clock import Clock, unix_ms
from pipeline.errors import TryLater
from pipeline.model import JsonObject
from pipeline.state import metrics, queue, spans
from pipeline.state.connection import Database
from pipeline.state.metrics import COARSE_S, FINE_S, Sample
from pipeline.work import lag, resources
from pipeline.work.condensed import Condensed
from pipeline.work.meter import Meter, quantile

WRITE_EVERY = 6  # samples
SHOWN = 360  # of the newest samples are in memory: an hour
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine at one moment, within the limits of the container it runs in. Bytes."""

    busy_s: float  # CPU seconds used since some beginning
    own_busy_s: float  # by Darkroom's core
    cores: float
    memory_used: int
    memory_total: int
    own_memory: int  # of the core and its workers
    disks: Mapping[str, tuple[int, int]]  # folder -> free, total; one for each file system


def read_machine(folders: Sequence[Path], children: Sequence[int]) -> Machine:
    """Ask the system. Blocks for about a millisecond, longer on a sleeping disk."""
    import psutil

    total = resources.memory_total()
    own = 0
    for pid in (os.getpid(), *children):
        try:
            own += psutil.Process(pid).memory_info().rss
        except psutil.NoSuchProcess:  # it was replaced a moment ago
            continue
    return Machine(
        busy_s=resources.busy_seconds(),
        own_busy_s=time.process_time(),
        cores=resources.core_share(),
        memory_used=max(0, total - resources.available_memory()),
        memory_total=total,
        own_memory=own,
        disks={str(d.path): (d.free, d.total) for d in resources.disks(folders)},
    )


class Sampler:
    """Samples one core. `run` it while it serves; `take` may be called at any time."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        meter: Meter,
        read: Callable[[], Machine],
    ) -> None:
        self.recent: deque[Sample] = deque(maxlen=SHOWN)
        self.condensed = Condensed(db, self.recent)
        self._db = db
        self._clock = clock
        self._meter = meter
        self._read = read
        self._unwritten: list[Sample] = []
        self._before: tuple[float, Machine, Meter] | None = None

    async def machine(self) -> Machine:
        """The machine as it was read last, at most a sample ago; now, if nothing samples."""
        before = self._before
        if before is None or self._clock.monotonic() - before[0] > 2 * FINE_S:
            before = self._before = await self._reading()
        return before[1]

    async def run(self) -> None:
        """Sample until cancelled, at every full ten seconds of the clock."""
        self._before = await self._reading()
        with lag.watched(self._meter.lag):
            while True:
                now = unix_ms(self._clock.now()) / 1000
                await self._clock.sleep(FINE_S - now % FINE_S)
                try:
                    await self.take()
                except TryLater as error:
                    _log.info("samples are written later", reason=str(error))

    async def take(self) -> Sample:
        """Read now; what is due is written, rolled up and forgotten. Raises `TryLater`."""
        before, after = self._before, await self._reading()
        self._before = after
        at = unix_ms(self._clock.now()) // 1000
        start = at - FINE_S - at % FINE_S
        waiting = {"queue": await self._db.read(queue.open_count)}
        sample = Sample(FINE_S, start, {**readings(before or after, after), **waiting})
        self.recent.append(sample)
        self._unwritten.append(sample)
        del self._unwritten[:-SHOWN]
        if len(self._unwritten) >= WRITE_EVERY:
            await self.write()
        return sample

    async def write(self) -> None:
        """Keep what was read. Raises `TryLater`; nothing is lost by that."""
        waiting = tuple(self._unwritten)
        now = unix_ms(self._clock.now())
        await self._db.write(_keep, waiting, now)
        del self._unwritten[: len(waiting)]

    async def _reading(self) -> tuple[float, Machine, Meter]:
        machine = await asyncio.to_thread(self._read)
        return self._clock.monotonic(), machine, self._meter.copy()


def readings(
    before: tuple[float, Machine, Meter], after: tuple[float, Machine, Meter]
) -> JsonObject:
    """What happened between two readings: rates of the machine in percent, counts of the work."""
    passed = max(after[0] - before[0], 1e-3)
    was, now, had, has = before[1], after[1], before[2], after[2]
    return {
        "cpu": _percent(now.busy_s - was.busy_s, passed * now.cores),
        "own_cpu": _percent(now.own_busy_s - was.own_busy_s, passed * now.cores),
        "memory": now.memory_used,
        "memory_total": now.memory_total,
        "own_memory": now.own_memory,
        "disks": {name: list(room) for name, room in now.disks.items()},
        "files": has.files - had.files,
        "bytes": has.bytes - had.bytes,
        "failed": has.failed - had.failed,
        "visit_cpu_ms": has.cpu_ms - had.cpu_ms,
        "lag_p99_ms": quantile(has.lag.sizes - had.lag.sizes, 0.99) or 0.0,
        "stages": _ran(had, has),
    }


def _percent(part: float, whole: float) -> float:
    return round(min(100.0, max(0.0, 100 * part / whole)), 1) if whole > 0 else 0.0


def _ran(had: Meter, has: Meter) -> dict[str, list[object]]:
    """The stages that ran in between: how often, for how long, and by size."""
    told: dict[str, list[object]] = {}
    for name, now in has.stages.items():
        was = had.stages.get(name)
        count = now.count - (was.count if was else 0)
        if count:
            sizes = now.sizes - (was.sizes if was else Counter())
            wall_ms = now.wall_ms - (was.wall_ms if was else 0)
            told[name] = [count, wall_ms, {str(size): times for size, times in sizes.items()}]
    return told


def _keep(con: sqlite3.Connection, samples: Sequence[Sample], now_ms: int) -> None:
    metrics.add(con, samples)
    now = now_ms // 1000
    if any(sample.at // COARSE_S != now // COARSE_S for sample in samples):
        metrics.roll_up(con, now)
        metrics.prune(con, now)
        spans.prune(con, now_ms)
