"""The gate in front of the queue: what it lets through, and what it tells of disks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, time
from pathlib import Path

import pytest

from pipeline.state import events
from pipeline.state.connection import Database, open_database
from pipeline.work import resources
from pipeline.work.gate import FRESH_S, Gate
from pipeline.work.resources import Disk, Go, Policy, Reading, Wait
from tests.kit.clock import FakeClock

GIB = 1 << 30
ROOMY = Reading(0.0, GIB, (Disk(Path("/lib"), 50 * GIB, 100 * GIB),), False, time(12))
FULL = Reading(0.0, GIB, (Disk(Path("/lib"), 10, 100 * GIB),), False, time(12))


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "state.sqlite", FakeClock()) as opened:
        yield opened


async def test_a_full_disk_is_told_once_and_its_end_too(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T09: work waits while a disk is full and goes on unaided; both turns are events."""
    clock, readings = FakeClock(), [ROOMY, FULL, FULL, ROOMY, ROOMY]
    monkeypatch.setattr(resources, "read", lambda _paths, _local: readings.pop(0))
    gate = Gate(db, clock, Policy(), [], UTC)
    answers = []
    for _ in range(5):
        answers.append(await gate.ask())
        await clock.advance(FRESH_S)
    assert [isinstance(a.interactive, Wait) for a in answers] == [False, True, True, False, False]
    told = [event.name for event in await db.read(events.read_after, 0, None)]
    assert told == ["storage.full", "storage.freed"]


async def test_the_machine_is_asked_only_now_and_then(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claiming a thousand times in a second reads the machine once."""
    asked = []
    monkeypatch.setattr(resources, "read", lambda _paths, _local: asked.append(1) or ROOMY)
    gate = Gate(db, FakeClock(), Policy(), [], UTC)
    for _ in range(1000):
        assert (await gate.ask()).background == Go()
    assert len(asked) == 1


async def test_quiet_hours_let_people_through(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In quiet hours only what somebody waits for is done."""
    monkeypatch.setattr(resources, "read", lambda _paths, _local: ROOMY)
    gate = Gate(db, FakeClock(), Policy(quiet_from=time(11), quiet_until=time(13)), [], UTC)
    permission = await gate.ask()
    assert isinstance(permission.background, Wait)
    assert permission.interactive == Go()
