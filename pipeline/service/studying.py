"""Looking again at what was studied before Darkroom learnt to see more, or got its models."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from pipeline.clock import new_id, timestamp
from pipeline.model import Actor
from pipeline.state import asked, jobs
from pipeline.state.audit import By
from pipeline.work import restudy

if TYPE_CHECKING:
    from pipeline.core import Core

JOB_TYPE = "study"


async def behind_everything(core: Core) -> int:
    """Queue what is due, to be done whenever nothing else is; how many files."""
    flow, now = core.working_flow, core.clock.now()
    due = await core.db.write(asked.enqueue_behind, restudy.KIND, flow.mark, now)
    if due:
        flow.poke()
    return due


async def start(actor: Actor, core: Core) -> str | None:
    """A job over what is due of the actor's files; None where nothing is."""
    flow, now = core.working_flow, core.clock.now()
    due = await core.db.read(asked.behind, actor.library_id, flow.mark)
    if not due:
        return None
    job_id = new_id(now)

    def begin(con: sqlite3.Connection) -> None:
        jobs.begin(con, By(actor, timestamp(now)), job_id, JOB_TYPE, {})
        pairs = [(file_id, actor.library_id) for file_id in due]
        asked.enqueue_job(con, job_id, restudy.KIND, pairs, now)

    await core.db.write(begin)
    flow.poke()
    return job_id
