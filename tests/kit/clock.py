"""Time that a test owns: wall clock and monotonic clock move only when told to.

`advance` lets monotonic time pass and wakes sleepers in order of their due time; `jump` moves only
the wall clock, as NTP, a person or a daylight saving bug would.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

SETTLE_TURNS = 20  # loop turns given to whoever was woken, before the next sleeper is


class FakeClock:
    """Implements `pipeline.clock.Clock`."""

    def __init__(self, start: datetime = datetime(2024, 5, 17, 12, tzinfo=UTC)) -> None:
        self._wall = start
        self._monotonic = 1_000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._tickets = itertools.count()

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._wall

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`; returns at once for zero and less, after one turn of the loop."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self._monotonic + seconds, next(self._tickets), woken)
        heapq.heappush(self._sleepers, entry)
        try:
            await woken
        finally:
            if not woken.done() or woken.cancelled():
                self._sleepers = [other for other in self._sleepers if other is not entry]
                heapq.heapify(self._sleepers)

    @property
    def sleeping(self) -> int:
        """How many wait now."""
        return len(self._sleepers)

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone; nobody wakes up."""
        self._wall += timedelta(seconds=seconds)

    def set(self, wall: datetime) -> None:
        """Set the wall clock alone."""
        self._wall = wall.astimezone(UTC)

    async def advance(self, seconds: float) -> None:
        """Let time pass on both clocks; sleepers wake one by one, each at its own moment."""
        end = self._monotonic + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self._pass(due)
            if not woken.done():
                woken.set_result(None)
            await self._settle()
        self._pass(end)
        await self._settle()

    def _pass(self, until: float) -> None:
        self._wall += timedelta(seconds=until - self._monotonic)
        self._monotonic = until

    async def _settle(self) -> None:
        for _ in range(SETTLE_TURNS):
            await asyncio.sleep(0)
