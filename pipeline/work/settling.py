"""The last step of a file's way: its bundle's facts settled, then into the library.

What becomes of a placing depends on whose fault it is: trouble of the world is tried again,
changed bytes are studied anew, a refusal fails at once, and something broken stops the flow.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pipeline.clock import Clock, timestamp
from pipeline.errors import Broken, ChangedWhileRead, DarkroomError, TryLater
from pipeline.state import bundles, queue, studies
from pipeline.state.bundles import Follower
from pipeline.state.connection import Database
from pipeline.state.queue import Task
from pipeline.work.headway import Headway
from pipeline.work.ledger import Ledger
from pipeline.work.queue import retry_delay_s
from pipeline.work.record import settle_bundles
from pipeline.work.tally import Tally

CHANGED_S = 10.0  # before a file that changes is read again

Place = Callable[[Sequence[str]], Awaitable[Mapping[str, DarkroomError | None]]]
Outcome = tuple[Task, DarkroomError | None]


async def settle(
    ledger: Ledger, place: Place, counts: tuple[Tally, Headway], batch: Sequence[Task]
) -> Broken | None:
    """Place the files of these tasks with their bundles; what is broken, if something is."""
    by_file = {task.file_id: task for task in batch}
    await ledger.write(settle_bundles, list(by_file), ledger.now())
    try:
        errors = await place(list(by_file))
    except DarkroomError as error:
        errors = dict.fromkeys(by_file, error)
    outcomes = [(task, errors.get(file_id)) for file_id, task in by_file.items()]
    await ledger.write(_record, ledger, outcomes)
    _count(*counts, outcomes)
    return next((error for error in errors.values() if isinstance(error, Broken)), None)


async def follow_twins(db: Database, clock: Clock, file_ids: Sequence[str]) -> list[str]:
    """Join what came along with duplicates to what was kept; the kept files that know more now."""
    found = await db.read(bundles.followers, file_ids)
    if not found:
        return []
    await db.write(_follow, found, timestamp(clock.now()))
    return [one.kept_id for one in found]


def _follow(con: sqlite3.Connection, found: Sequence[Follower], at: str) -> None:
    bundles.follow(con, found, at)
    settle_bundles(con, [one.kept_id for one in found], at)


def _record(con: sqlite3.Connection, ledger: Ledger, outcomes: Sequence[Outcome]) -> None:
    now = ledger.queue_now()
    for task, error in outcomes:
        match error:
            case None:
                queue.finish_placing(con, task.id, task.file_id, now)
            case TryLater():
                until = ledger.time.text(retry_delay_s(task.attempts, error.after_s))
                queue.retry(con, task.id, until, error.code, str(error), at=now)
            case ChangedWhileRead():
                studies.forget_content(con, task.file_id, ledger.now())
                queue.look_again(con, task.id, ledger.time.text(CHANGED_S), now)
            case _:
                queue.fail(con, task.id, error.code, str(error), now)


def _count(tally: Tally, headway: Headway, outcomes: Sequence[Outcome]) -> None:
    for task, error in outcomes:
        if not isinstance(error, TryLater | ChangedWhileRead):
            headway.placed(task.job_id)
        match error:
            case None:
                tally.placed += 1
            case TryLater() | ChangedWhileRead():
                tally.retried += 1
            case _:
                tally.failed += 1
