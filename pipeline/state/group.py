"""Group commit: many writes in one transaction, a savepoint each, so that one fsync serves all.

A write that fails is rolled back to its own savepoint; the others stand.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.events import Recorded
from pipeline.state import events, kept
from pipeline.state.failures import translated
from pipeline.state.kept import Touched


@dataclass(slots=True)
class Write:
    """One function to run, who waits for it, and what came of it."""

    fn: Callable[[sqlite3.Connection], Any]
    answer: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """A group that is safe: the newest event's number, the events, and whose rows it touched."""

    latest: int
    fresh: tuple[Recorded, ...]
    touched: list[Touched]


def commit(
    con: sqlite3.Connection,
    group: list[Write],
    settle: Callable[[sqlite3.Connection], None],
    after: int | None,
) -> Committed:
    """One transaction around all of `group`.

    Events are told from behind the number `after` on; None: nobody wants them. `settle` runs at
    the end, for what follows from what was written.
    """
    con.execute("BEGIN IMMEDIATE")
    try:
        for write in group:
            _run_in_savepoint(con, write)
        settle(con)
        fresh = () if after is None else events.read_after(con, after, limit=None)
        latest = fresh[-1].seq if fresh else events.latest_seq(con)
        touched = kept.take_touched(con)
        con.execute("COMMIT")
    except BaseException:
        if con.in_transaction:
            con.execute("ROLLBACK")
        raise
    return Committed(latest, fresh, touched)


def _run_in_savepoint(con: sqlite3.Connection, write: Write) -> None:
    con.execute("SAVEPOINT one")
    try:
        write.value = write.fn(con)
    except Exception as error:  # border: one caller's failure must not end the writer
        if not con.in_transaction:  # a full disk ends the whole transaction by itself
            raise
        con.execute("ROLLBACK TO one")
        write.error = error
        if isinstance(error, StopIteration):  # a future refuses it, and its caller would hang
            write.error = RuntimeError("A write ended in StopIteration.")
            write.error.__cause__ = error
    con.execute("RELEASE one")


def answer(group: Iterable[Write]) -> None:
    """Tell each caller what came of its write; only after the commit."""
    for write in group:
        if write.answer.done():
            continue
        if write.error is None:
            write.answer.set_result(write.value)
        elif isinstance(write.error, sqlite3.Error):
            refusal = translated(write.error)
            refusal.__cause__ = write.error
            write.answer.set_exception(refusal)
        else:
            write.answer.set_exception(write.error)


def fail(group: Iterable[Write], error: BaseException) -> None:
    """Tell each caller that nothing came of its write."""
    for write in group:
        write.error = error
    answer(group)
