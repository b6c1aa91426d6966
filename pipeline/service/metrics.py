"""Graphs: the machine and the work over time, how long stages take, and whether runs get slower."""

from __future__ import annotations

import sqlite3
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.clock import unix_ms
from pipeline.errors import Invalid
from pipeline.model import Actor, JsonObject
from pipeline.service import process
from pipeline.state import jobs, metrics, reports
from pipeline.state.jobs import Job
from pipeline.state.metrics import COARSE_S, FINE_S, KEEP_COARSE_S, KEEP_FINE_S, Sample
from pipeline.work.meter import quantile

if TYPE_CHECKING:
    from pipeline.core import Core

POINTS = 720  # a graph shows about so many at most
RUNS = 7  # the last run is held against so many before it


@dataclass(frozen=True, slots=True)
class Series:
    """Samples in order, one for each `every_s` seconds in which there was one."""

    every_s: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """How long one stage took: how often it ran, milliseconds in all, half and most of them."""

    stage: str
    count: int
    wall_ms: int
    p50_ms: float
    p95_ms: float
    files_per_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job, in sum."""

    job_id: str
    started_at: str
    seconds: float
    files: int
    bytes: int
    errors: int
    files_per_s: float
    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The last run against the middle of those before it; `change` 0.1 is a tenth faster."""

    now: float
    usual: float | None
    change: float | None


@dataclass(frozen=True, slots=True)
class Trends:
    """The newest run first."""

    runs: tuple[Run, ...]
    files_per_s: Trend | None
    bytes_per_s: Trend | None


async def series(actor: Actor, core: Core, seconds: int) -> Series:
    """The last `seconds`, as finely as is kept and can be shown.

    Raises `Invalid` for more than is kept. Every actor that may look is shown the same.
    """
    if not 0 < seconds <= KEEP_COARSE_S:
        raise Invalid("Samples are kept for 30 days.", hint="Ask for less.")
    now = unix_ms(core.clock.now()) // 1000
    kept_s = FINE_S if seconds <= KEEP_FINE_S else COARSE_S
    shown_s = kept_s * max(1, -(-seconds // (kept_s * POINTS)))
    if core.sampler is not None and shown_s > kept_s == FINE_S:  # a day, as pages ask for it
        return Series(
            shown_s, await core.sampler.condensed.between(now - seconds, now + 1, shown_s)
        )
    found = await core.db.read(metrics.between, kept_s, now - seconds, now + 1)
    if core.sampler is not None and kept_s == FINE_S:
        newest = found[-1].at if found else now - seconds - 1
        found += [sample for sample in core.sampler.recent if sample.at > newest]
    if shown_s > kept_s:
        found = metrics.merged(found, shown_s)
    return Series(shown_s, tuple(found))


async def stages(actor: Actor, core: Core, seconds: int) -> list[StageSpeed]:
    """How long each stage took in the last `seconds`, slowest first. Raises `Invalid`."""
    told = await series(actor, core, seconds)
    ran = metrics.together([sample.readings for sample in told.samples]).get("stages", {})
    speeds = [_stage(seconds, name, *figures) for name, figures in ran.items()]
    return sorted(speeds, key=lambda one: -one.wall_ms)


def _stage(seconds: int, name: str, count: int, wall_ms: int, told: dict[str, int]) -> StageSpeed:
    sizes = Counter({int(size): times for size, times in told.items()})
    return StageSpeed(
        stage=name,
        count=count,
        wall_ms=wall_ms,
        p50_ms=quantile(sizes, 0.5) or 0.0,
        p95_ms=quantile(sizes, 0.95) or 0.0,
        files_per_s=round(count / seconds, 3),
    )


async def trends(actor: Actor, core: Core) -> Trends:
    """The last run of taking in against the seven before it."""
    runs = await core.db.read(_runs, actor.library_id)
    return Trends(
        tuple(runs),
        _trend(runs, lambda run: run.files_per_s),
        _trend(runs, lambda r: r.bytes_per_s),
    )


def _runs(con: sqlite3.Connection, owner_id: str) -> list[Run]:
    found = jobs.finished(con, owner_id, process.JOB_TYPE, RUNS + 1)
    return [_run(con, job) for job in found]


def _run(con: sqlite3.Connection, job: Job) -> Run:
    standing = reports.standing(con, job.id)
    assert standing is not None, "a job of this very view"
    ended = datetime.fromisoformat(job.completed_at or job.created_at)
    seconds = max(jobs.seconds(job, ended), 0.001)
    return Run(
        job_id=job.id,
        started_at=job.started_at or job.created_at,
        seconds=seconds,
        files=standing.total,
        bytes=standing.bytes_total,
        errors=job.error_count,
        files_per_s=round(standing.total / seconds, 3),
        bytes_per_s=round(standing.bytes_total / seconds, 1),
    )


def _trend(runs: Sequence[Run], of: Callable[[Run], float]) -> Trend | None:
    if not runs:
        return None
    now, earlier = of(runs[0]), [of(run) for run in runs[1:]]
    usual = statistics.median(earlier) if earlier else None
    change = round(now / usual - 1, 3) if usual else None
    return Trend(now, usual, change)


def latest(core: Core) -> JsonObject:
    """The newest sample's readings; empty where nothing samples."""
    recent = core.sampler.recent if core.sampler is not None else ()
    return recent[-1].readings if recent else {}
