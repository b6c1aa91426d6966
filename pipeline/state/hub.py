"""Fan-out of committed events to live receivers: WebSocket, MQTT, a terminal.

Promises: a subscriber gets every event after the number it names, in order, none twice, whether it
stood in the log already or is committed later. A slow one never holds up a writer or another
subscriber: its queue is bounded, and its policy says what happens when the queue is full.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from pipeline.errors import Busy
from pipeline.events import Recorded
from pipeline.state import events
from pipeline.state.audience import Teller
from pipeline.state.connection import Database

Policy = Literal["drop_oldest", "disconnect", "catch_up"]

QUEUE_LIMIT = 1_000
PAGE = 500  # events handed out at once, at most; pages begin at its multiples, for all alike
KEPT = 4  # pages of the log that those who catch up share


class Subscription:
    """One receiver's place in the log and its queue; iterate over it. Made by `Hub.subscribe`."""

    def __init__(self, log: _Log, after: int, policy: Policy, limit: int) -> None:
        self.last_seq = after  # where to resume: the number of the event handed out last
        self.dropped = 0
        self._log = log
        self._policy = policy
        self._limit = limit
        self._queue: deque[Recorded] = deque()
        self._newest = after  # the last event that the queue has held
        self._is_behind = True  # the log holds events that the queue does not
        self._is_cut_off = False
        self._news = asyncio.Event()

    def offer(self, fresh: Iterable[Recorded]) -> None:
        """Take newly committed events; never waits."""
        if self._is_behind:
            return
        for event in fresh:
            if event.seq <= self._newest:  # the log had it before its commit was told of
                continue
            if len(self._queue) >= self._limit:
                self._overflow()
            if self._is_behind:  # the log has this one too
                break
            self._queue.append(event)
            self._newest = event.seq
        self._news.set()

    def _overflow(self) -> None:
        if self._policy == "catch_up":
            self._is_behind = True
            self._queue.clear()
            return
        if self._policy == "disconnect":
            self._is_cut_off = True
        self._queue.popleft()
        self.dropped += 1

    async def __aiter__(self) -> AsyncIterator[Recorded]:
        """Events without end.

        Raises `Busy` once the queue of a `disconnect` subscriber was full: resume at `last_seq`.
        """
        while True:
            while self._is_behind and not self._queue:
                await self._catch_up()
            self._refuse_if_cut_off()
            while self._queue:
                event = self._queue.popleft()
                self.last_seq = event.seq
                yield event
                self._refuse_if_cut_off()
            if not self._is_behind:
                self._news.clear()
                await self._news.wait()

    async def take(self, seconds: float) -> list[Recorded]:
        """All events that wait, up to a page; if none does, those that come within `seconds`.

        Empty when none came, or somebody called `nudge`. Raises `Busy` as iterating does.
        """
        if self._is_behind and not self._queue:
            await self._catch_up()
        if not self._queue and not self._is_behind:
            await self._wait(seconds)
        self._refuse_if_cut_off()
        taken = [self._queue.popleft() for _ in range(min(len(self._queue), _left(self.last_seq)))]
        if taken:
            self.last_seq = taken[-1].seq
        return taken

    def nudge(self) -> None:
        """Let a `take` that waits answer now."""
        self._news.set()

    async def _wait(self, seconds: float) -> None:
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    async def _catch_up(self) -> None:
        # From here on commits reach the queue; the log is read after that, so none falls between.
        self._is_behind = False
        page, self._is_behind = await self._log.after(self.last_seq)
        upto = page[-1].seq if page else self.last_seq
        live = () if self._is_behind else (event for event in self._queue if event.seq > upto)
        self._queue = deque((*page, *live))
        self._newest = self._queue[-1].seq if self._queue else self.last_seq

    def _refuse_if_cut_off(self) -> None:
        if self._is_cut_off:
            raise Busy(
                f"This receiver was too slow: more than {self._limit} events were waiting.",
                hint=f"Resume after event {self.last_seq}; nothing is lost.",
                after_s=0,
            )


class _Log:
    """The log, page by page: a page that is full never changes, and is read once for all."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._full: OrderedDict[int, tuple[Recorded, ...]] = OrderedDict()
        self._reading = asyncio.Lock()

    async def after(self, seq: int) -> tuple[tuple[Recorded, ...], bool]:
        """The page behind an event, and whether there may be more behind that."""
        async with self._reading:  # who waits here for a page finds it read
            if seq in self._full:
                return self._full[seq], True
            page = await self._db.read(events.read_after, seq, _left(seq))
            is_full = len(page) == _left(seq)
            if is_full:
                self._full[seq] = page
            if len(self._full) > KEPT:
                self._full.popitem(last=False)
            return page, is_full


def _left(seq: int) -> int:
    """How many events are left of the page that the one behind `seq` is on."""
    return PAGE - seq % PAGE


class Hub:
    """Where live receivers subscribe."""

    def __init__(self, db: Database) -> None:
        self.teller = Teller(db)
        self._db = db
        self._log = _Log(db)
        self._subscriptions: list[Subscription] = []

    @contextmanager
    def subscribe(
        self, after: int, *, policy: Policy, limit: int = QUEUE_LIMIT
    ) -> Iterator[Subscription]:
        """Receive all events after number `after` (`events.latest_seq` for only what is to come).

        `drop_oldest` suits those who show the present (`dropped` counts), `disconnect` those who
        can come back and resume; with `catch_up` what did not fit is read from the log later.
        """
        subscription = Subscription(self._log, after, policy, limit)
        stop = self._db.listen(subscription.offer)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
            stop()

    @property
    def receivers(self) -> int:
        """How many are subscribed now."""
        return len(self._subscriptions)
