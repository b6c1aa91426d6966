"""The timeline: which job, file and stage ran when. What is over stays as it was."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.clock import timestamp, unix_ms
from pipeline.errors import Invalid
from pipeline.model import Actor
from pipeline.service import files
from pipeline.state import jobs, spans
from pipeline.state.jobs import Job
from pipeline.state.spans import Span

if TYPE_CHECKING:
    from pipeline.core import Core

JOBS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Window:
    """A time, and what ran in it. `following` is where the next page of spans begins, if any."""

    since: datetime
    until: datetime
    jobs: tuple[Job, ...]
    spans: tuple[Span, ...]
    following: int | None


async def window(
    actor: Actor,
    core: Core,
    since: datetime,
    until: datetime,
    *,
    after: int = 0,
    limit: int = 1000,
) -> Window:
    """What ran between two moments. Raises `Invalid` when they are the wrong way round."""
    if until <= since:
        raise Invalid("The end of this time lies before its beginning.")
    return await core.db.read(_window, actor.library_id, (since, until), None, after, limit)


async def of_job(
    actor: Actor, core: Core, job_id: str, *, after: int = 0, limit: int = 1000
) -> Window:
    """What one job did, from its beginning to its end or now. Raises `NotFound`."""
    job = await core.db.read(jobs.require, job_id, actor.library_id)
    since = datetime.fromisoformat(job.started_at or job.created_at)
    until = datetime.fromisoformat(job.completed_at) if job.completed_at else core.clock.now()
    return await core.db.read(_window, actor.library_id, (since, until), job, after, limit)


async def of_file(actor: Actor, core: Core, file_id: str) -> list[Span]:
    """The visits of one file, newest first. Raises `NotFound`."""
    await files.one(actor, core, file_id)
    return await core.db.read(spans.of_file, file_id, actor.library_id)


def _window(
    con: sqlite3.Connection,
    owner_id: str,
    between: tuple[datetime, datetime],
    job: Job | None,
    after: int,
    limit: int,
) -> Window:
    since, until = between
    period = (unix_ms(since), unix_ms(until))
    found = spans.within(
        con,
        owner_id,
        period,
        job_id=None if job is None else job.id,
        after=after,
        limit=limit + 1,
    )
    shown = found[:limit]
    ran = (
        [job]
        if job is not None
        else jobs.within(con, owner_id, timestamp(since), timestamp(until), JOBS_SHOWN)
    )
    following = shown[-1].id if len(found) > limit else None
    return Window(since.astimezone(UTC), until.astimezone(UTC), tuple(ran), tuple(shown), following)
