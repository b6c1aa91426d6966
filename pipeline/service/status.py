"""What is happening now, in one look: jobs, queue, speed, the machine, and what needs a person.

Every surface that shows the present asks here, so that all of them tell the same.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.model import Actor
from pipeline.state import attention, jobs, queue, reports
from pipeline.state.attention import Need
from pipeline.state.jobs import Job
from pipeline.state.progress import Progress
from pipeline.work import headway, pause, sampling
from pipeline.work.sampling import Machine

if TYPE_CHECKING:
    from pipeline.core import Core

ACTIVE = ("queued", "running", "paused")
SHOWN = 100
FAILED_DAYS = 7  # a job that failed needs a person for so long


@dataclass(frozen=True, slots=True)
class ActiveJob:
    """A job that is not over, and how far it is."""

    job: Job
    progress: Progress


@dataclass(frozen=True, slots=True)
class Speed:
    """What is done in a second, by all of the actor's jobs together; None: it cannot be told."""

    files_per_s: float | None
    bytes_per_s: float | None


@dataclass(frozen=True, slots=True)
class Resources:
    """The machine as Darkroom may use it; percentages of that, bytes."""

    cpu_percent: float
    own_cpu_percent: float
    cores: float
    memory_used: int
    memory_total: int
    own_memory: int
    disks: Mapping[str, tuple[int, int]]  # name of a folder on it -> free, total


@dataclass(frozen=True, slots=True)
class Status:
    """All of it at one moment."""

    at: str
    active_jobs: tuple[ActiveJob, ...]
    queue_length: int
    processing_speed: Speed
    system_resources: Resources
    paused: str | None  # why nothing is begun until somebody lets it go on
    waiting_for: str | None
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    active: list[ActiveJob]
    queue_length: int
    paused: str | None
    needs: list[Need]


async def look(actor: Actor, core: Core) -> Status:
    """What is happening to the actor's files, and to the machine."""
    now = core.clock.now()
    since = timestamp(now - timedelta(days=FAILED_DAYS))
    told = {one.job_id: one for one in core.progress.running()}
    rows = await core.db.read(_rows, actor.library_id, since, told)
    active = tuple(rows.active)
    return Status(
        at=timestamp(now),
        active_jobs=active,
        queue_length=rows.queue_length,
        processing_speed=_speed(active),
        system_resources=await resources(core),
        paused=rows.paused,
        waiting_for=core.flow.waiting_for if core.flow is not None else None,
        needs=tuple(rows.needs),
    )


async def resources(core: Core) -> Resources:
    """The machine: as sampled in the last seconds, else as it is at this moment."""
    if core.sampler is not None:
        return _resources(core, await core.sampler.machine())
    home = core.home
    folders = (home.library, home.state, home.cache)
    return _resources(core, await asyncio.to_thread(sampling.read_machine, folders, ()))


def _resources(core: Core, machine: Machine) -> Resources:
    recent = core.sampler.recent if core.sampler is not None else ()
    last = recent[-1].readings if recent else {"cpu": 0.0, "own_cpu": 0.0}
    return Resources(
        cpu_percent=last["cpu"],
        own_cpu_percent=last["own_cpu"],
        cores=machine.cores,
        memory_used=machine.memory_used,
        memory_total=machine.memory_total,
        own_memory=machine.own_memory,
        disks={Path(folder).name: room for folder, room in machine.disks.items()},
    )


def _rows(
    con: sqlite3.Connection, owner_id: str, since: str, told: Mapping[str, Progress]
) -> _Rows:
    held = pause.current(con)
    found = jobs.recent(con, owner_id, SHOWN, statuses=ACTIVE)
    return _Rows(
        active=[ActiveJob(job, told.get(job.id) or _counted(con, job.id)) for job in found],
        queue_length=queue.open_count(con),
        paused=None if held is None else held.reason,
        needs=attention.needs(con, owner_id, since),
    )


def _counted(con: sqlite3.Connection, job_id: str) -> Progress:
    """The rows are counted only where the board has no word: that costs."""
    standing = reports.standing(con, job_id)
    assert standing is not None, "a row of this very view"
    return headway.progress_of(job_id, standing)


def _speed(active: tuple[ActiveJob, ...]) -> Speed:
    files = [one.progress.files_per_s for one in active]
    size = [one.progress.bytes_per_s for one in active]
    return Speed(_sum(files), _sum(size))


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 2) if known else None
