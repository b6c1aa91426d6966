"""The state as the flow writes to it: stamped with the right clock, and patient.

A full or busy disk delays the flow and never ends it; `waiting_for` says so meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from pipeline.clock import Clock, timestamp
from pipeline.errors import TryLater
from pipeline.state.connection import Database
from pipeline.work.queue import QueueTime

P = ParamSpec("P")
T = TypeVar("T")


class Ledger:
    """One per flow."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.db = db
        self.clock = clock
        self.time = QueueTime(clock)
        self.waiting_for: str | None = None  # why nothing goes on, for people

    async def write(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`Database.write`, repeated for as long as the state cannot be written to."""
        while True:
            try:
                return await self.db.write(fn, *args, **kwargs)
            except TryLater as error:
                self.waiting_for = error.message
                await self.clock.sleep(error.after_s)

    def queue_now(self) -> str:
        """Now, by the queue's own clock."""
        return self.time.text()

    def now(self) -> str:
        """Now, by the wall clock: for rows and events."""
        return timestamp(self.clock.now())
