"""The nightly run happens exactly once per planned moment, whatever clocks do."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import SystemClock
from pipeline.state import settings
from pipeline.state.connection import Database, open_database
from pipeline.work import schedule
from pipeline.work.schedule import Plan, cron_trigger, latest_moment, next_moment, open_schedule
from tests.kit.clock import FakeClock

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3600.0, 86400.0


def insert(con: sqlite3.Connection, moment: str) -> None:
    runs = settings.get(con, "runs") or []
    settings.put(con, "runs", [*runs, moment])


NIGHTLY = Plan("nightly", "30 2 * * *", insert)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "state.sqlite", SystemClock()) as opened:
        yield opened


@pytest.fixture(autouse=True)
def coarse_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days pass in seconds when the clock is looked at every ten minutes."""
    monkeypatch.setattr(schedule, "LOOK_S", 600.0)


async def runs(db: Database) -> list[str]:
    return await db.read(settings.get, "runs") or []


async def live(clock: FakeClock, hours: float) -> None:
    """Let time pass in steps; between them the watch has written what it had to and sleeps."""
    for _ in range(int(hours * 4)):
        await clock.advance(900)
        while not clock.sleeping:
            await asyncio.sleep(0.001)


async def test_each_night_once_across_both_time_changes(db: Database) -> None:
    """T23: the hour that is missing in spring and double in autumn still means one run a night."""
    for start in (datetime(2024, 3, 29, 12, tzinfo=UTC), datetime(2024, 10, 25, 12, tzinfo=UTC)):
        clock = FakeClock(start)
        async with open_schedule(db, clock, [NIGHTLY], BERLIN):
            await live(clock, 4 * 24)
    nights = [f"2024-03-{d}T02:30" for d in (30, 31)] + ["2024-04-01T02:30", "2024-04-02T02:30"]
    made_up = ["2024-10-25T02:30"]  # one for all of summer, when the service was away
    autumn = [f"2024-10-{d}T02:30" for d in (26, 27, 28, 29)]
    assert await runs(db) == nights + made_up + autumn


@pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY, -DAY])
@pytest.mark.parametrize("at_hour", [0.2, 2.2, 9.0])
async def test_clock_jumps_neither_skip_nor_double(
    db: Database, jump: float, at_hour: float
) -> None:
    """T23: an hour or a day forward or back, before or after the run: each night once."""
    clock = FakeClock(datetime(2024, 5, 10, 12, tzinfo=UTC))
    async with open_schedule(db, clock, [NIGHTLY], UTC):
        await live(clock, 12 + at_hour)
        clock.jump(jump)
        await live(clock, 3 * 24)
        end = clock.now()
    happened = await runs(db)
    assert len(happened) == len(set(happened))
    first, last = datetime(2024, 5, 11, 2, 30, tzinfo=UTC), end
    expected = {
        (first + timedelta(days=n)).strftime("%Y-%m-%dT%H:%M")
        for n in range(10)
        if first + timedelta(days=n) <= last
    }
    assert set(happened) == expected


@pytest.mark.parametrize("year", [1970, 2038])
async def test_an_absurd_clock_costs_no_night(db: Database, year: int) -> None:
    """T23: after hours in 1970 or 2038 and back, the next night runs, and no night twice."""
    clock = FakeClock(datetime(2024, 5, 10, 12, tzinfo=UTC))
    async with open_schedule(db, clock, [NIGHTLY], UTC):
        await live(clock, 24)
        clock.set(datetime(year, 1, 20, 12, tzinfo=UTC))
        await live(clock, 3)
        clock.set(datetime(2024, 5, 11, 15, tzinfo=UTC))
        await live(clock, 24)
    happened = await runs(db)
    assert len(happened) == len(set(happened))
    assert [run for run in happened if run.startswith("2024")] == [
        "2024-05-11T02:30",
        "2024-05-12T02:30",
    ]


async def test_a_missed_run_is_made_up_once(db: Database) -> None:
    """Down over three nights: one run at the next start, none at the start after that."""
    async with open_schedule(db, FakeClock(datetime(2024, 5, 10, tzinfo=UTC)), [NIGHTLY], UTC):
        pass
    assert await runs(db) == []
    for _ in range(2):
        clock = FakeClock(datetime(2024, 5, 13, 12, tzinfo=UTC))
        async with open_schedule(db, clock, [NIGHTLY], UTC):
            pass
    assert await runs(db) == ["2024-05-13T02:30"]


async def test_a_blocked_loop_delays_but_never_drops_the_run(db: Database) -> None:
    """T24: the loop stands still over the due second; the run happens once all the same."""

    class Shifted(SystemClock):
        """The system's clock, moved so that the planned moment is a second away."""

        start = time.time()

        def now(self) -> datetime:
            planned = datetime(2024, 5, 10, 2, 29, 59, tzinfo=UTC)
            return planned + timedelta(seconds=time.time() - self.start)

    clock = Shifted()
    async with open_schedule(db, clock, [NIGHTLY], UTC) as watch:
        assert await runs(db) == []
        time.sleep(5)
        await watch.look()
        await asyncio.sleep(0.2)
        await watch.look()
    assert await runs(db) == ["2024-05-10T02:30"]


async def test_a_stall_is_reported(db: Database) -> None:
    """T24: a loop that stood still is noticed by the monotonic clock."""

    class Stalling(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            self._monotonic += 5.0

    clock = Stalling()
    async with open_schedule(db, clock, [], UTC) as watch:
        await clock.advance(601)
        assert watch.longest_stall_s >= 5.0


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)), st.integers(0, 59), st.integers(0, 23)
)
def test_latest_and_next_moment_enclose_now(now: datetime, minute: int, hour: int) -> None:
    """The latest moment is not after now, the next one is, and nothing lies between."""
    trigger = cron_trigger(f"{minute} {hour} * * *")
    latest = latest_moment(trigger, now)
    following = next_moment(trigger, now)
    assert latest is not None
    assert following is not None
    assert datetime.fromisoformat(latest) <= now < following
    assert following - datetime.fromisoformat(latest) == timedelta(days=1)
