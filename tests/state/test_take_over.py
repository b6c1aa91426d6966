"""A run that goes on with what an earlier one left."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipeline.clock import new_id, timestamp
from pipeline.state import jobs, queue
from pipeline.state.connection import open_database
from tests.kit.clock import FakeClock
from tests.kit.state import OWNER, add_household


async def test_only_jobs_of_an_earlier_boot_were_cut_off(tmp_path: Path) -> None:
    """T46: of several that take in folders at once none ends another, however little it has."""
    clock = FakeClock()
    before, boot, other, mine = (new_id(clock.now()) for _ in range(4))

    def begin(con: sqlite3.Connection) -> None:
        add_household(con)
        for job in (before, other, mine):
            at = timestamp(clock.now())
            jobs.add(con, job, "process", owner_id=OWNER, actor="test", params={}, at=at)
        queue.take_over(con, mine, [], clock.now(), boot)

    async with open_database(tmp_path / "state" / "darkroom.sqlite", clock) as db:
        await db.write(begin)
        found = {job: await db.read(jobs.get, job, OWNER) for job in (before, other, mine)}
    told = [one.status for one in found.values() if one is not None]
    assert told == ["cancelled", "running", "running"]
