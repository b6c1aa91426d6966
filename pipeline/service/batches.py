"""Batches for those who do not wait: over named files or all that fit a query, in the background.

A rehearsal is answered at once. What is done is a job that can be followed and undone; what became
of each file is kept for a month.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.errors import DarkroomError, Invalid, NotFound
from pipeline.library import fsops
from pipeline.model import Actor, JsonObject
from pipeline.service import batch, finding
from pipeline.service.batch import BatchResult
from pipeline.service.requests import NAMES, Convert, Copy, Operation
from pipeline.state import batch_results, jobs
from pipeline.state.jobs import Job

if TYPE_CHECKING:
    from pipeline.core import Core

MOST_NAMED = 10_000
INLINE = 200  # files; more are done behind the answer
KEPT = timedelta(days=30)
EXPORTS = "exports"  # below the home: where copies go that were asked for from afar
PREFIX = "batch-"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files: by id or path, or all that fit a query. One of both."""

    files: tuple[str, ...] = ()
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch: its job, and its result where it is over already."""

    job_id: str | None
    files: int
    result: BatchResult | None


async def start(
    actor: Actor, core: Core, selection: Selection, operation: Operation, *, dry_run: bool = False
) -> Begun:
    """Do it at once to few files, behind the answer to many; a rehearsal is always at once.

    Raises `Invalid`, `NotFound` or `NotAllowed` before anything is done where the operation or the
    query makes no sense, `Busy` while too much is being done.
    """
    operation = await batch.checked(core, _within(core, operation))
    wanted = await _wanted(actor, core, selection)
    if dry_run:
        result = await batch.run(actor, core, wanted, operation, dry_run=True)
        return Begun(None, len(wanted), result)
    core.errands.refuse_if_full()
    await _make_room(core, operation)
    job_id = await batch.begin(actor, core, operation)
    if len(wanted) > INLINE or isinstance(operation, Convert):
        work = functools.partial(_run_behind, actor, core, wanted, operation, job_id)
        core.errands.run(work, f"batch {job_id}")
        return Begun(job_id, len(wanted), None)
    return Begun(job_id, len(wanted), await _run(actor, core, wanted, operation, job_id))


async def job(actor: Actor, core: Core, job_id: str) -> Job:
    """The job of a batch. Raises `NotFound`, also for a job that is none."""
    found = await core.db.read(jobs.require, job_id, actor.library_id)
    if not found.job_type.startswith(PREFIX):
        raise NotFound(f"The job {job_id!r} is no batch.")
    return found


async def items(
    actor: Actor, core: Core, job_id: str, *, after: int = 0, limit: int = 100
) -> list[JsonObject]:
    """What became of the files of a batch, in order, from the position `after` on.

    Empty while it runs, and after a month. Raises `NotFound`.
    """
    await job(actor, core, job_id)
    return await core.db.read(batch_results.page, job_id, actor.library_id, after, limit)


async def sweep(core: Core) -> int:
    """At the start: batches that were cut off are told so; how many."""
    types = [f"{PREFIX}{name}" for name in NAMES.values()]
    cut = await core.db.read(jobs.running, types)
    at = timestamp(core.clock.now())
    why = "Darkroom was stopped meanwhile. What was done can be undone; ask again for the rest."
    for one in cut:
        await core.db.write(jobs.finish, one.id, "failed", at, why)
    return len(cut)


async def _run(
    actor: Actor, core: Core, wanted: Sequence[str], operation: Operation, job_id: str
) -> BatchResult:
    try:
        result = await batch.run(actor, core, wanted, operation, job=job_id)
    except DarkroomError as error:
        await _keep(core, job_id, [{"file": "", "ok": False, "reason": error.message}])
        raise
    await _keep(core, job_id, [asdict(item) for item in result.items])
    return result


async def _run_behind(
    actor: Actor, core: Core, wanted: Sequence[str], operation: Operation, job_id: str
) -> None:
    with contextlib.suppress(DarkroomError):  # it stands in the job
        await _run(actor, core, wanted, operation, job_id)


async def _keep(core: Core, job_id: str, told: Sequence[JsonObject]) -> None:
    now = core.clock.now()
    await core.db.write(batch_results.keep, job_id, told, timestamp(now), timestamp(now - KEPT))


async def _wanted(actor: Actor, core: Core, selection: Selection) -> list[str]:
    if len(selection.files) > MOST_NAMED:
        raise Invalid(f"At most {MOST_NAMED:,} files can be named; use a query for more.")
    return await finding.meant(actor, core, selection.files, selection.query)


def _within(core: Core, operation: Operation) -> Operation:
    """From afar copies go below `exports` of the home, whatever folder is named."""
    if not isinstance(operation, Copy | Convert):
        return operation
    base = core.home.path / EXPORTS
    below = batch.folder_below(base, str(operation.destination))
    return replace(operation, destination=base / below)


async def _make_room(core: Core, operation: Operation) -> None:
    if isinstance(operation, Copy | Convert):
        below = Path(operation.destination).relative_to(core.home.path)
        await asyncio.to_thread(fsops.make_folders, core.home.path, str(below))
