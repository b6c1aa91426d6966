"""A crowd comes in one by one: a few requests begin in each turn of the loop, in their order.

When a hundred requests arrive at once, a turn that began them all would hold up everything else,
from the answers that are ready to the films that are sent, for as long as all of them take.
"""

from __future__ import annotations

import asyncio
from collections import deque

IN_A_TURN = 4


class Pacing:
    """Where requests wait for their turn; used by one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._begun = 0  # in this turn
        self._is_counting = False

    async def turn(self) -> None:
        """Return when it is time to begin: now, unless enough have begun in this turn."""
        if self._begun < IN_A_TURN and not self._waiting:
            self._begin()
            return
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        await place

    def _begin(self) -> None:
        self._begun += 1
        if not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._is_counting, self._begun = False, 0
        while self._waiting and self._begun < IN_A_TURN:
            place = self._waiting.popleft()
            if not place.done():  # cancelled: the client has gone
                place.set_result(None)
                self._begin()
