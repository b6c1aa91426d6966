"""Jobs: looking at them, pausing, cancelling, and undoing a whole run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.library import journal
from pipeline.library.journal import Undone
from pipeline.model import Actor
from pipeline.state import jobs, queue
from pipeline.state.jobs import Job
from pipeline.work import pause as pausing
from pipeline.work.pause import Pause

if TYPE_CHECKING:
    from pipeline.core import Core

REASON = "paused by a person"


async def recent(actor: Actor, core: Core, limit: int = 20) -> list[Job]:
    """The actor's jobs, newest first."""
    return await core.db.read(jobs.recent, actor.library_id, limit)


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
        return await core.flow.cancel(job_id)
    return await core.db.write(queue.cancel_job, job_id, timestamp(core.clock.now()))


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
