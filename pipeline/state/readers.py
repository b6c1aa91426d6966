"""The readers, and the line before them: who began first is read for first.

A request asks the state several times. If each of its questions waited behind those of everybody
who came later, a busy moment would make the unlucky wait ten times as long as others.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar

from pipeline.state.thread import Thread

PATIENCE_S = 2.0  # what takes longer is work, and waits like everybody

_began: ContextVar[float] = ContextVar("began")


def begin() -> None:
    """From here on this task's questions keep the place in the line that they have now."""
    _began.set(time.monotonic())


class Readers:
    """Connections to read with, each for one question at a time."""

    def __init__(self, threads: Iterable[Thread]) -> None:
        self._free = list(threads)
        self._line: list[tuple[float, int, asyncio.Future[Thread]]] = []
        self._numbers = itertools.count()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Thread]:
        """A reader, when it is this task's turn."""
        reader = self._free.pop() if self._free else await self._wait()
        try:
            yield reader
        finally:
            self._hand_on(reader)

    async def _wait(self) -> Thread:
        turn: asyncio.Future[Thread] = asyncio.get_running_loop().create_future()
        now = time.monotonic()
        began = max(_began.get(now), now - PATIENCE_S)
        heapq.heappush(self._line, (began, next(self._numbers), turn))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._hand_on(turn.result())
            raise

    def _hand_on(self, reader: Thread) -> None:
        while self._line:
            turn = heapq.heappop(self._line)[2]
            if not turn.done():  # cancelled: nobody waits any more
                turn.set_result(reader)
                return
        self._free.append(reader)
