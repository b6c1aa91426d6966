"""The gate in front of the queue: asks the machine now and then, and says when a disk fills up.

Answers are a few seconds old at most. A disk that becomes full, or has room again, is an event.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from pipeline.clock import Clock, timestamp
from pipeline.events import Event, StorageBecameFull, StorageFreed
from pipeline.state import events
from pipeline.state.connection import Database
from pipeline.work import resources
from pipeline.work.resources import Go, Policy, Reading, Wait

FRESH_S = 5.0
ACTOR = "flow"


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be claimed now: everything, only what somebody waits for, or nothing."""

    background: Go | Wait
    interactive: Go | Wait


class Gate:
    """Decides, for a few seconds at a time, what may be claimed."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        policy: Policy,
        paths: Sequence[Path],
        zone: tzinfo,
    ) -> None:
        self._db = db
        self._clock = clock
        self._policy = policy
        self._read: Callable[[], Reading] = lambda: resources.read(
            paths, clock.now().astimezone(zone)
        )
        self._answer = Permission(Go(), Go())
        self._asked_at: float | None = None
        self._full: Path | None = None

    async def ask(self) -> Permission:
        """May work be claimed now?"""
        now = self._clock.monotonic()
        if self._asked_at is None or now - self._asked_at >= FRESH_S:
            reading = await asyncio.to_thread(self._read)
            self._asked_at = now
            self._answer = Permission(
                resources.decide(reading, self._policy),
                resources.decide(reading, self._policy, is_interactive=True),
            )
            await self._announce_disks(self._answer.interactive)
        return self._answer

    async def _announce_disks(self, answer: Go | Wait) -> None:
        disk = answer.disk if isinstance(answer, Wait) else None
        full = disk.path if disk is not None else None
        if full == self._full:
            return
        if self._full is not None:
            await self._db.write(_tell, StorageFreed(str(self._full)), self._clock)
        if disk is not None:
            await self._db.write(_tell, StorageBecameFull(str(disk.path), disk.free), self._clock)
        self._full = full


def _tell(con: sqlite3.Connection, event: Event, clock: Clock) -> None:
    events.append(con, event, actor=ACTOR, at=timestamp(clock.now()))
