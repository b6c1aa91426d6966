"""Live receivers of events."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator

import pytest

from pipeline.errors import Busy
from pipeline.events import FileReleased
from pipeline.state import events
from pipeline.state import hub as hubs
from pipeline.state.connection import Database
from pipeline.state.hub import Hub, Subscription
from tests.kit.state import AT


def _tell(con: sqlite3.Connection, count: int = 1) -> None:
    for _ in range(count):
        events.append(con, FileReleased("f"), actor="test", at=AT)


async def _take(stream: AsyncIterator[object], count: int) -> list[int]:
    async with asyncio.timeout(20):
        return [(await anext(stream)).seq for _ in range(count)]  # type: ignore[attr-defined]


async def test_what_stood_in_the_log_and_what_comes_arrive_in_order(db: Database) -> None:
    """A subscriber resumes after the number it names: the log first, then live, nothing twice."""
    await db.write(_tell, 20)
    with Hub(db).subscribe(5, policy="disconnect") as subscription:
        stream = aiter(subscription)
        assert await _take(stream, 15) == list(range(6, 21))
        await db.write(_tell, 3)
        assert await _take(stream, 3) == [21, 22, 23]
        assert subscription.last_seq == 23


async def test_no_gap_and_no_double_while_commits_race_the_catching_up(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Subscribers that join at any moment of a stream of commits see each number exactly once."""
    monkeypatch.setattr(hubs, "PAGE", 7)
    hub, chance, total = Hub(db), random.Random(7), 400

    async def write() -> None:
        for _ in range(total // 4):
            await db.write(_tell, 4)

    async def follow(start_after: int) -> list[int]:
        while await db.read(events.latest_seq) < start_after:
            await asyncio.sleep(0)
        with hub.subscribe(start_after, policy="disconnect") as subscription:
            return await _take(aiter(subscription), total - start_after)

    starts = [0, *(chance.randrange(total) for _ in range(12))]
    _, *seen = await asyncio.gather(write(), *(follow(start) for start in starts))
    assert seen == [list(range(start + 1, total + 1)) for start in starts]
    assert hub.receivers == 0


async def _overfull(db: Database, subscription: Subscription) -> AsyncIterator[object]:
    """A stream that is live, and has 8 events waiting where 5 have room."""
    stream = aiter(subscription)
    await db.write(_tell)
    await db.write(_tell)
    assert await _take(stream, 2) == [1, 2]  # the log is read to its end: live from here on
    await db.write(_tell, 8)
    await db.write(lambda con: None)  # by now the 8 were told of
    return stream


async def test_a_slow_one_that_drops_gets_the_newest(db: Database) -> None:
    """`drop_oldest`: the queue stays bounded, the newest arrive, and the drops are counted."""
    with Hub(db).subscribe(0, policy="drop_oldest", limit=5) as subscription:
        stream = await _overfull(db, subscription)
        assert await _take(stream, 5) == [6, 7, 8, 9, 10]
        assert subscription.dropped == 3


async def test_a_slow_one_is_cut_off_and_resumes_without_loss(db: Database) -> None:
    """`disconnect`: the slow one is told where to resume, and then gets all it missed."""
    hub = Hub(db)
    with hub.subscribe(0, policy="disconnect", limit=5) as subscription:
        stream = await _overfull(db, subscription)
        with pytest.raises(Busy, match="after event 2"):
            await anext(stream)
    with hub.subscribe(subscription.last_seq, policy="disconnect", limit=5) as again:
        assert await _take(aiter(again), 8) == list(range(3, 11))


async def test_one_that_lags_reads_the_log_instead(db: Database) -> None:
    """`catch_up`: more comes at once than has room, and still each number exactly once."""
    with Hub(db).subscribe(0, policy="catch_up", limit=5) as subscription:
        seen: list[int] = []
        for burst in (2, 8, 1, 700, 3):
            await db.write(_tell, burst)
            assert len(subscription._queue) <= 5
            while found := await subscription.take(0.05):
                seen += [event.seq for event in found]
                assert len(found) <= hubs.PAGE
        assert seen == list(range(1, 715))


async def test_a_take_ends_in_time_or_when_nudged(db: Database) -> None:
    """Without events there is an empty answer: after the time, or as soon as somebody nudges."""
    with Hub(db).subscribe(0, policy="catch_up") as subscription:
        assert await subscription.take(0.01) == []
        waiting = asyncio.create_task(subscription.take(60))
        await asyncio.sleep(0.01)
        subscription.nudge()
        async with asyncio.timeout(5):
            assert await waiting == []


async def test_a_slow_one_holds_up_nobody(db: Database) -> None:
    """One that never reads costs bounded memory; writers and a quick one go on."""
    hub = Hub(db)
    with (
        hub.subscribe(0, policy="drop_oldest", limit=10) as idle,
        hub.subscribe(0, policy="disconnect") as quick,
    ):
        stream = aiter(quick)
        for _ in range(30):
            await db.write(_tell, 10)
        assert await _take(stream, 300) == list(range(1, 301))
        assert len(idle._queue) <= 10


async def test_without_receivers_the_log_is_not_read(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listening costs the writer nothing."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the log was read for nobody")

    monkeypatch.setattr(events, "read_after", fail)
    await db.write(_tell)
    await db.write(_tell)
