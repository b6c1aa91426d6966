"""Which task is next: priorities with ageing, turns between owners, waits and give-ups.

Interactive comes before new before backfill; but what has waited ten minutes gets every fourth
claim, so a lower priority is late and never forgotten. Inside a priority the owner who was served
least recently is next. SQL is in `state/queue.py`.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipeline.clock import Clock, timestamp
from pipeline.model import Priority
from pipeline.state import queue
from pipeline.state.queue import Task

AGEING = timedelta(minutes=10)
AGED_SHARE = 4  # every so many-th claim goes to what has waited longest
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 900.0
RANK = {Priority.INTERACTIVE: 0, Priority.NEW: 1, Priority.BACKFILL: 2}


class QueueTime:
    """The queue's own clock: the wall clock at start, carried on by monotonic time.

    A wall clock that jumps (NTP, a person, 1970 after a power cut) neither delays a retry nor
    hurries one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.now()
        self._origin = clock.monotonic()

    def now(self) -> datetime:
        """The time that waits in the queue are measured by."""
        return self._start + timedelta(seconds=self._clock.monotonic() - self._origin)

    def text(self, after_s: float = 0.0) -> str:
        """Now, or `after_s` seconds from now, as stored."""
        return timestamp(self.now() + timedelta(seconds=after_s))


@dataclass(slots=True)
class Turns:
    """Who was served when: the memory that makes claiming fair. One per running core."""

    claims: int = 0
    served: dict[str, int] = field(default_factory=dict)

    def note(self, owner_id: str) -> None:
        """One more claim went to this owner."""
        self.claims += 1
        self.served[owner_id] = self.claims

    @property
    def is_for_the_aged(self) -> bool:
        """Does the next claim belong to what has waited longest?"""
        return (self.claims + 1) % AGED_SHARE == 0


@dataclass(slots=True)
class Lane:
    """The ready tasks of one owner and priority, and the first of them."""

    rank: int
    owner_id: str
    tasks: Iterator[Task]
    head: Task


def claim(  # noqa: PLR0913 - what a claim is made of
    con: sqlite3.Connection,
    turns: Turns,
    count: int,
    *,
    boot: str,
    at: datetime,
    kinds: Sequence[str],
    priorities: Sequence[Priority] = tuple(Priority),
) -> list[Task]:
    """Claim up to `count` ready tasks of these kinds, fairly, and count the attempt with it."""
    stamp = timestamp(at)
    queue.wake(con, stamp)
    chosen = list(itertools.islice(choose(_lanes(con, priorities, kinds), turns, at), count))
    queue.take(con, [task.id for task in chosen], boot, stamp)
    return [replace(task, attempts=task.attempts + 1) for task in chosen]


def choose(lanes: list[Lane], turns: Turns, at: datetime) -> Iterator[Task]:
    """All tasks of the lanes in the order they should be served in; consumes the lanes."""
    aged_before = timestamp(at - AGEING)
    while lanes:
        lane = _next_lane(lanes, turns, aged_before)
        turns.note(lane.owner_id)
        task = lane.head
        following = next(lane.tasks, None)
        if following is None:
            lanes.remove(lane)
        else:
            lane.head = following
        yield task


def _next_lane(lanes: list[Lane], turns: Turns, aged_before: str) -> Lane:
    if turns.is_for_the_aged:
        aged = [lane for lane in lanes if lane.head.created_at <= aged_before]
        if aged:
            return min(aged, key=lambda lane: (lane.head.created_at, lane.head.id))
    return min(
        lanes, key=lambda lane: (lane.rank, turns.served.get(lane.owner_id, 0), lane.owner_id)
    )


def _lanes(
    con: sqlite3.Connection, priorities: Sequence[Priority], kinds: Sequence[str]
) -> list[Lane]:
    lanes = []
    owners = queue.owners(con)
    for priority, owner_id in itertools.product(priorities, owners):
        tasks = queue.ready(con, priority, owner_id, kinds)
        head = next(tasks, None)
        if head is not None:
            lanes.append(Lane(RANK[priority], owner_id, tasks, head))
    return lanes


def retry_delay_s(attempts: int, asked_s: float = 0.0) -> float:
    """Seconds to wait before the next attempt: doubling up to 15 min, at least what was asked."""
    doubled = FIRST_RETRY_S * 2.0 ** min(max(attempts - 1, 0), 10)
    return max(min(doubled, LONGEST_RETRY_S), asked_s)
