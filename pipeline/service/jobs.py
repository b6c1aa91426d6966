"""Jobs: looking at them down to each stage of each file, steering them, undoing a whole run."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.errors import Conflict
from pipeline.events import JobPaused, JobPrioritised, JobResumed, JobRetried
from pipeline.library import journal
from pipeline.library.journal import Undone
from pipeline.model import Actor, Priority
from pipeline.service.audit import by
from pipeline.state import audit, jobs, reports, spans, tasks
from pipeline.state.audit import By
from pipeline.state.jobs import Job
from pipeline.state.progress import Progress
from pipeline.state.spans import Span
from pipeline.state.tasks import JobTask
from pipeline.work import headway
from pipeline.work import pause as pausing
from pipeline.work.pause import Pause

if TYPE_CHECKING:
    from pipeline.core import Core

REASON = "paused by a person"


@dataclass(frozen=True, slots=True)
class Branch:
    """One task of a job with its visits, newest first."""

    task: JobTask
    spans: tuple[Span, ...]


async def recent(
    actor: Actor,
    core: Core,
    limit: int = 20,
    *,
    before: str | None = None,
    statuses: Sequence[str] = (),
) -> list[Job]:
    """The actor's jobs, newest first, from below the id `before` on; `statuses` empty: any."""
    return await core.db.read(
        jobs.recent, actor.library_id, limit, before=before, statuses=statuses
    )


async def progress(actor: Actor, core: Core, job_id: str) -> Progress:
    """How far one job is: as it is told now, or as the rows say. Raises `NotFound`."""
    await get(actor, core, job_id)
    told = core.progress.latest(job_id)
    if told is not None:
        return told
    standing = await core.db.read(reports.standing, job_id)
    assert standing is not None, "a job that was there a moment ago"
    return headway.progress_of(job_id, standing)


async def tree(
    actor: Actor,
    core: Core,
    job_id: str,
    *,
    after: str = "",
    limit: int = 100,
    only_failed: bool = False,
) -> list[Branch]:
    """The job's tasks, each with its visits and their stages, page by page. Raises `NotFound`."""
    await get(actor, core, job_id)
    return await core.db.read(_tree, actor.library_id, job_id, after, limit, only_failed)


def _tree(
    con: sqlite3.Connection,
    owner_id: str,
    job_id: str,
    after: str,
    limit: int,
    only_failed: bool,
) -> list[Branch]:
    found = tasks.of_job(con, job_id, after=after, limit=limit, only_failed=only_failed)
    return [Branch(task, _visits(con, owner_id, job_id, task)) for task in found]


def _visits(con: sqlite3.Connection, owner_id: str, job_id: str, task: JobTask) -> tuple[Span, ...]:
    found = spans.of_file(con, task.file_id, owner_id)
    return tuple(one for one in found if one.job_id == job_id)


async def pause_job(actor: Actor, core: Core, job_id: str) -> int:
    """Begin nothing more of this job; how many tasks wait now. It is remembered over restarts.

    Raises `NotFound`, and `Conflict` for a job that is not running.
    """
    await get(actor, core, job_id)
    return await core.db.write(_pause, job_id, by(actor, core))


async def resume_job(actor: Actor, core: Core, job_id: str) -> int:
    """Go on with a paused job; how many tasks go on. Raises `NotFound` and `Conflict`."""
    await get(actor, core, job_id)
    count = await core.db.write(_resume, job_id, by(actor, core))
    _poke(core)
    return count


async def retry(actor: Actor, core: Core, job_id: str) -> int:
    """Try again what failed in the job; how many tasks that are.

    Files that were rejected stay rejected. Raises `NotFound`, and `Conflict` when nothing is left
    to be tried again.
    """
    await get(actor, core, job_id)
    count = await core.db.write(_retry, job_id, by(actor, core))
    _poke(core)
    return count


async def prioritise(actor: Actor, core: Core, job_id: str, priority: Priority) -> int:
    """Let what is open of the job come sooner or later; how many tasks. Raises `NotFound`."""
    await get(actor, core, job_id)
    count = await core.db.write(_prioritise, job_id, priority, by(actor, core))
    _poke(core)
    return count


def _pause(con: sqlite3.Connection, job_id: str, by: By) -> int:
    if not jobs.pause(con, job_id):
        raise Conflict("This job is not running.", hint="Look at its status.")
    audit.tell(con, by, JobPaused(job_id))
    return tasks.hold(con, job_id)


def _resume(con: sqlite3.Connection, job_id: str, by: By) -> int:
    if not jobs.resume(con, job_id):
        raise Conflict("This job is not paused.", hint="Look at its status.")
    audit.tell(con, by, JobResumed(job_id))
    return tasks.let_go(con, job_id)


def _retry(con: sqlite3.Connection, job_id: str, by: By) -> int:
    count = tasks.retry_failed(con, job_id, by.at)
    if not count:
        raise Conflict("Nothing of this job can be tried again.", hint="Its tasks say why.")
    audit.tell(con, by, JobRetried(job_id, count))
    return count


def _prioritise(con: sqlite3.Connection, job_id: str, priority: Priority, by: By) -> int:
    audit.tell(con, by, JobPrioritised(job_id, priority), after={"priority": priority})
    return tasks.prioritise(con, job_id, priority)


def _poke(core: Core) -> None:
    if core.flow is not None:
        core.flow.poke()


async def pause(
    actor: Actor, core: Core, *, minutes: float | None = None, now: bool = False
) -> None:
    """Claim no new work for so many minutes, or until `resume`; with `now` interrupt what runs."""
    if core.flow is not None:
        await core.flow.pause(REASON, actor=actor.label, minutes=minutes, now=now)
        return
    at = core.clock.now()
    until = None if minutes is None else timestamp(at + timedelta(minutes=minutes))
    await core.db.write(pausing.set_pause, Pause(REASON, until), actor=actor.label, at=at)


async def resume(actor: Actor, core: Core) -> bool:
    """Go on with the work; False when it was not paused."""
    if core.flow is not None:
        return await core.flow.resume(actor=actor.label)
    return await core.db.write(pausing.clear_pause, actor=actor.label, at=core.clock.now())


async def cancel(actor: Actor, core: Core, job_id: str) -> int:
    """Cancel what the job has not begun; how many tasks that were."""
    await get(actor, core, job_id)
    if core.flow is not None:
        return await core.flow.cancel(job_id, actor=actor.label)
    at = timestamp(core.clock.now())
    return await core.db.write(jobs.cancel, job_id, at, at, actor=actor.label)


async def get(actor: Actor, core: Core, job_id: str) -> Job:
    """One job of the actor. Raises `NotFound`."""
    return await core.db.read(jobs.require, job_id, actor.library_id)


async def undo_count(actor: Actor, core: Core, job_id: str) -> int:
    """How many changes an undo of the job would reverse."""
    return len(await journal.plan(core.db, job_id, actor.library_id))


async def undo(actor: Actor, core: Core, job_id: str) -> Undone:
    """Reverse everything the job did; what could not be reversed is left and named."""
    return await journal.undo(
        core.db, core.clock, core.home, job_id, actor.library_id, actor=actor.label
    )
