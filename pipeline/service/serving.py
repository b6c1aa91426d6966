"""Running until told to stop: watch the inbox and the configured folders, keep the schedule."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import structlog

from pipeline.clock import new_id, timestamp
from pipeline.errors import DarkroomError
from pipeline.events import Recorded
from pipeline.intake import roots, watch
from pipeline.model import Actor, Root, RootKind, Surface, Take
from pipeline.service import backup, batches, once, process, studying, tiers, uploads, verify
from pipeline.state import chosen_roots, jobs
from pipeline.state.jobs import Job
from pipeline.work.alongside import alongside
from pipeline.work.schedule import Plan, open_schedule
from pipeline.work.zone import zone_of

if TYPE_CHECKING:
    from pipeline.core import Core

SNAPSHOT, VERIFY, TIERS = "snapshot", "verify", "tiers"
VERIFY_SHARE = 0.05  # of the library, each time; the next goes on where it ended
LOOK_FOR_JOBS_S = 1.0
_log = structlog.get_logger(__name__)


async def prepare(core: Core) -> None:
    """Before anybody can ask: what the last run left unfinished is told so, or forgotten."""
    await batches.sweep(core)
    await once.sweep(core)


async def serve(core: Core) -> None:
    """Watch, take in, keep the schedule, until cancelled."""
    actor = core.household(Surface.WATCH)
    if due := await studying.behind_everything(core):
        _log.info("files are studied again", files=due)
    watched = await watched_roots(actor, core)
    intake = core.settings.intake
    pace = watch.Pace(
        quiet_s=intake.stable_for_s,
        rescan_s=intake.rescan_minutes * 60,
        limits=verify.missing_limits(core),
    )
    schedule = core.settings.schedule
    plans = [_plan(core, SNAPSHOT, schedule.snapshot), _plan(core, VERIFY, schedule.verify)]
    if core.settings.retention.tiers:
        plans.append(_plan(core, TIERS, schedule.tiers))
    stop = core.db.listen(lambda fresh: _poke(core, fresh))
    try:
        async with (
            open_schedule(core.db, core.clock, plans, zone_of(core.settings)),
            alongside(_run_planned(core), "planned jobs"),
            alongside(uploads.keep_sweeping(core), "abandoned uploads"),
            alongside(_sampled(core), "samples"),
        ):
            await watch.watch(
                core.db, core.clock, watched, pace, skip=core.own_folders, posts=core.posts
            )
    finally:
        stop()


async def watched_roots(actor: Actor, core: Core) -> list[Root]:
    """The library, the inbox, the configured folders, made known where they are new, and those
    that people chose."""
    folders = [
        (core.home.library, RootKind.LIBRARY, Take.MOVE, ()),
        (core.home.inbox, RootKind.INBOX, Take.MOVE, core.own_folders),
    ]
    folders += [
        (one.path, RootKind(one.kind), Take(one.take), core.own_folders)
        for one in core.settings.roots
    ]
    found = []
    for path, kind, take, own in folders:
        wanted = roots.Wanted(path, kind, take, actor.library_id)
        try:
            found.append(await roots.ensure(core.db, core.clock, wanted, own=own))
        except DarkroomError as error:
            _log.warning("this folder is not watched", folder=str(path), reason=str(error))
    known = {root.id for root in found}
    chosen = [one.root for one in await core.db.read(chosen_roots.listing)]
    return found + [root for root in chosen if root.id not in known]


def _poke(core: Core, fresh: tuple[Recorded, ...]) -> None:
    if any(event.name == "file.found" for event in fresh):
        core.working_flow.poke()


def _plan(core: Core, job_type: str, cron: str) -> Plan:
    def insert(con: sqlite3.Connection, moment: str) -> None:
        now = core.clock.now()
        jobs.add(
            con,
            new_id(now),
            job_type,
            owner_id=core.owner_id,
            actor=core.household(Surface.SCHEDULE).label,
            params={"moment": moment},
            at=timestamp(now),
        )

    return Plan(job_type, cron, insert)


async def _sampled(core: Core) -> None:
    """Sample the machine and the work, for as long as there is work to sample."""
    if core.sampler is not None:
        await core.sampler.run()


async def _run_planned(core: Core) -> None:
    """Do the jobs that the schedule wrote, one after the other; what fails is told in its job."""
    while True:
        for job in await core.db.read(jobs.running, (SNAPSHOT, VERIFY, TIERS)):
            status, error = await _run(core, job)
            at = timestamp(core.clock.now())
            await core.db.write(jobs.finish, job.id, status, at, error)
        for job in await core.db.read(jobs.drained, process.JOB_TYPE):
            await core.working_flow.drain(job.id)  # nobody waits for it: it is over all the same
        await core.clock.sleep(LOOK_FOR_JOBS_S)


async def _run(core: Core, job: Job) -> tuple[str, str | None]:
    actor = core.household(Surface.SCHEDULE)
    try:
        if job.job_type == SNAPSHOT:
            await backup.take(actor, core)
            return "done", None
        if job.job_type == TIERS:
            await tiers.start(actor, core)
            return "done", None
        found = await verify.run(actor, core, VERIFY_SHARE)
    except DarkroomError as error:
        _log.warning("a planned job failed", job=job.job_type, reason=str(error))
        return "failed", str(error)
    told = found.asking or (json.dumps(found.altered) if found.altered else None)
    return ("failed", told) if told else ("done", None)
