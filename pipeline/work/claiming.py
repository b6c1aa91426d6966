"""Taking tasks out of the queue: what may be claimed now, and what it brings along.

A task's attempt is committed before its work starts. Nothing is claimed while somebody paused the
flow or the machine cannot bear more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.clock import new_id
from pipeline.model import Priority
from pipeline.state import asked, queue, studies
from pipeline.state.asked import LibraryFile
from pipeline.state.queue import Task
from pipeline.state.studies import StudyFile
from pipeline.work import pause
from pipeline.work.gate import Gate
from pipeline.work.ledger import Ledger
from pipeline.work.pause import Pause
from pipeline.work.queue import Turns, claim
from pipeline.work.resources import Wait

VISIT, PLACE = "visit", "place"
ARRIVING = (VISIT, PLACE)  # the kinds of task that bring a new file into the library


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one look into the queue brought."""

    visits: Sequence[tuple[Task, StudyFile]] = ()
    placings: Sequence[Task] = ()
    others: Sequence[Task] = ()
    asked: Sequence[tuple[Task, LibraryFile | None]] = ()  # None: it is not in its place now
    pause: Pause | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing to do for now."""
        return not self.visits and not self.placings and not self.others


class Claimer:
    """Claims for one boot of the core."""

    def __init__(self, ledger: Ledger, gate: Gate) -> None:
        self._ledger = ledger
        self._gate = gate
        self.boot = new_id(ledger.clock.now())
        self._turns = Turns()

    async def claim(self, count: int) -> Claimed:
        """Up to `count` tasks of new files; the ledger says why there are none, if it knows."""
        return await self._permitted(count, ARRIVING)

    async def claim_asked(self, kinds: Sequence[str], library: Path) -> Claimed:
        """One task of these kinds, over a file that lies in the library."""
        claimed = await self._permitted(1, kinds)
        if not claimed.others:
            return claimed
        ids = [task.file_id for task in claimed.others]
        found = await self._ledger.db.read(asked.files, ids, library)
        return replace(claimed, asked=[(t, found.get(t.file_id)) for t in claimed.others])

    async def _permitted(self, count: int, kinds: Sequence[str]) -> Claimed:
        ledger = self._ledger
        allowed = await self._gate.ask()
        if isinstance(allowed.interactive, Wait):
            ledger.waiting_for = allowed.interactive.reason
            return Claimed()
        is_resting = isinstance(allowed.background, Wait)
        priorities = (Priority.INTERACTIVE,) if is_resting else tuple(Priority)
        claimed = await ledger.write(self._claim, count, kinds, priorities)
        ledger.waiting_for = claimed.pause.reason if claimed.pause else None
        if isinstance(allowed.background, Wait) and claimed.is_empty:
            ledger.waiting_for = allowed.background.reason
        return claimed

    async def suspects(self) -> list[Task]:
        """Visits that were under way when an earlier boot ended unexpectedly; queued again now."""
        ledger = self._ledger
        return await ledger.write(queue.recover, self.boot, ledger.queue_now())

    async def claim_one(self, task: Task) -> Claimed:
        """Claim this very task."""
        return await self._ledger.write(self._claim_one, task)

    async def give_back(self) -> None:
        """Return what is still held, uncounted. Raises `TryLater` when the state is not there."""
        await self._ledger.db.write(queue.give_back, self.boot, self._ledger.queue_now())

    def _claim(
        self,
        con: sqlite3.Connection,
        count: int,
        kinds: Sequence[str],
        priorities: Sequence[Priority],
    ) -> Claimed:
        held = pause.in_force(con, self._ledger.clock.now())
        if held is not None:
            return Claimed(pause=held)
        now = self._ledger.time.now()
        tasks = claim(
            con, self._turns, count, boot=self.boot, at=now, kinds=kinds, priorities=priorities
        )
        return _with_files(con, tasks)

    def _claim_one(self, con: sqlite3.Connection, task: Task) -> Claimed:
        queue.take(con, [task.id], self.boot, self._ledger.queue_now())
        return _with_files(con, [replace(task, attempts=task.attempts + 1)])


def _with_files(con: sqlite3.Connection, tasks: Sequence[Task]) -> Claimed:
    visits = [task for task in tasks if task.kind == VISIT]
    files = studies.files_to_study(con, [task.file_id for task in visits])
    return Claimed(
        visits=[(task, files[task.file_id]) for task in visits],
        placings=[task for task in tasks if task.kind == PLACE],
        others=[task for task in tasks if task.kind not in ARRIVING],
    )
