"""What happens by itself, at the hours people set: a trigger that only inserts job rows.

APScheduler wakes us; what makes a run happen exactly once is the memory of the moments that were
settled already, kept in the state and written in the same transaction as the job. So clocks may
jump, nights may have an hour more or less, the loop may stall and the service may have been down:
each planned moment leads to one run, and several missed ones to one run together.

Planned moments are local wall times without offset: APScheduler's own cron trigger stands still
in the hour that autumn repeats, and its sleeps trust a wall clock that may be set back for years.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import structlog

from pipeline.clock import Clock
from pipeline.state import settings
from pipeline.state.connection import Database

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler
    from apscheduler.triggers.cron import CronTrigger

LOOK_S = 30.0  # of monotonic time: a wall clock that jumped is noticed this soon
REMEMBERED = 64
STALL_S = 2.0  # a look this late means the event loop stood still
_WINDOWS = tuple(timedelta(hours=h) for h in (0.1, 2, 26, 8 * 24, 32 * 24, 367 * 24))
_log = structlog.get_logger(__name__)

Insert = Callable[[sqlite3.Connection, str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """One thing that happens by itself. `insert(con, moment)` writes its job rows, nothing else."""

    name: str
    cron: str  # five fields, local time
    insert: Insert


@asynccontextmanager
async def open_schedule(
    db: Database, clock: Clock, plans: Sequence[Plan], zone: tzinfo
) -> AsyncIterator[Watch]:
    """Keep the plans while the context is open; what was missed before is made up once at entry.

    Raises `ValueError` when a plan's cron fields make no sense.
    """
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    scheduler = AsyncIOScheduler(
        timezone=UTC,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    watch = Watch(db, clock, plans, zone, scheduler)
    scheduler.start()
    await watch.look()
    looking = asyncio.create_task(watch.keep_looking(), name="schedule: look at the clock")
    try:
        yield watch
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        scheduler.shutdown(wait=False)


class Watch:
    """Compares what was planned until now with what was settled."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        plans: Sequence[Plan],
        zone: tzinfo,
        scheduler: AsyncIOScheduler,
    ) -> None:
        self.longest_stall_s = 0.0
        self._db = db
        self._clock = clock
        self._plans = [(plan, cron_trigger(plan.cron)) for plan in plans]
        self._zone = zone
        self._scheduler = scheduler
        self._seen = clock.now()
        self._settled: dict[str, str] = {}  # by plan: spares a write when nothing is due
        self._one_look = asyncio.Lock()

    async def keep_looking(self) -> None:
        """Look every `LOOK_S`, whatever the wall clock does; report when the loop stood still."""
        while True:
            before = self._clock.monotonic()
            await self._clock.sleep(LOOK_S)
            stall_s = self._clock.monotonic() - before - LOOK_S
            if stall_s > STALL_S:
                self.longest_stall_s = max(self.longest_stall_s, stall_s)
                _log.warning("the event loop stood still", seconds=round(stall_s, 1))
            await self.look()

    async def look(self) -> None:
        """Settle every plan whose latest moment has no run yet, then set the alarm for the next."""
        async with self._one_look:
            now, before = self._clock.now(), self._seen
            self._seen = now
            was_set_back = now < before - timedelta(seconds=STALL_S)
            for plan, trigger in self._plans:
                await self._settle(plan, trigger, now, was_set_back)

    async def _settle(
        self, plan: Plan, trigger: CronTrigger, now: datetime, was_set_back: bool
    ) -> None:
        local = now.astimezone(self._zone).replace(tzinfo=None)
        moment = latest_moment(trigger, local)
        try:
            if moment is not None and self._settled.get(plan.name) != moment:
                await self._db.write(_settle, plan, moment, was_set_back)
                self._settled[plan.name] = moment
            self._arm(plan, trigger, local)
        except Exception:
            # Border: schedule callback. The next look tries again; nothing was marked as settled.
            _log.exception("a planned run could not be queued", plan=plan.name)

    def _arm(self, plan: Plan, trigger: CronTrigger, local: datetime) -> None:
        following = next_moment(trigger, local)
        if following is None:
            return
        self._scheduler.add_job(
            self.look,
            "date",
            run_date=following.replace(tzinfo=self._zone).astimezone(UTC),
            id=plan.name,
            replace_existing=True,
        )


def cron_trigger(cron: str) -> CronTrigger:
    """Five cron fields over wall time without zone. Raises `ValueError` when they make no sense."""
    from apscheduler.triggers.cron import CronTrigger

    return CronTrigger.from_crontab(cron, timezone=UTC)


def latest_moment(trigger: CronTrigger, local: datetime) -> str | None:
    """The last planned moment that is not after `local`; both are wall time without offset."""
    for window in _WINDOWS:
        last: datetime | None = None
        moment = next_moment(trigger, local - window)
        while moment is not None and moment <= local:
            last, moment = moment, next_moment(trigger, moment)
        if last is not None:
            return last.isoformat(timespec="minutes")
    return None


def next_moment(trigger: CronTrigger, local: datetime) -> datetime | None:
    """The first planned moment after `local`; both are wall time without offset."""
    after = local.replace(tzinfo=UTC) + timedelta(microseconds=1)
    moment: datetime | None = trigger.get_next_fire_time(None, after)
    return None if moment is None else moment.replace(tzinfo=None)


def _settle(con: sqlite3.Connection, plan: Plan, moment: str, was_set_back: bool) -> None:
    """Insert the run, unless this moment had one or came into sight by setting a clock back."""
    key = f"schedule.{plan.name}"
    settled: list[str] | None = settings.get(con, key)
    if settled is not None and moment in settled:
        return
    if settled is not None and not was_set_back:
        plan.insert(con, moment)
    settings.put(con, key, [*(settled or []), moment][-REMEMBERED:])
