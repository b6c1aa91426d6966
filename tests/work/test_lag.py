"""How late the event loop is."""

from __future__ import annotations

import asyncio
import time

from pipeline.state import metrics
from pipeline.work import lag
from pipeline.work.meter import Durations, duration_of


async def test_a_loop_that_was_held_up_is_seen() -> None:
    """Of a call that blocks for 350 ms all three looks that fell due meanwhile are late."""
    told = Durations()
    with lag.watched(told):
        await asyncio.sleep(0)
        time.sleep(0.35)  # the fault, seeded
        for _ in range(3):
            await asyncio.sleep(0)
    assert told.count >= 3
    late = sorted((duration_of(size) for size in told.sizes), reverse=True)
    assert late[0] >= 210
    assert late[1] >= 120


async def test_nothing_is_noted_behind_the_end() -> None:
    """The watch ends with its block."""
    told = Durations()
    with lag.watched(told):
        pass
    await asyncio.sleep(1.5 * lag.EVERY_S)
    assert told.count == 0


def test_of_many_samples_the_worst_lag_stays() -> None:
    """An average would hide the ten seconds in which nobody was answered."""
    assert metrics.together([{"lag_p99_ms": 4.0}, {"lag_p99_ms": 90.5}]) == {"lag_p99_ms": 90.5}
