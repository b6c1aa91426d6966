"""The one writing connection, with group commit, and the read-only readers.

Promises: exactly one connection ever writes or checkpoints; a write is answered only after its
COMMIT with `synchronous=FULL`; a write that fails fails alone; the event loop never waits for the
disk. Functions given to `write` and `read` are plain and synchronous, and never commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import quote

import aiosqlite

from pipeline.clock import Clock
from pipeline.errors import Broken, Busy, StorageFull
from pipeline.events import Recorded
from pipeline.state import events, migrate

P = ParamSpec("P")
T = TypeVar("T")

QUEUE_LIMIT = 4096  # waiting writes; a producer beyond that waits too
GROUP_LIMIT = 512  # writes in one transaction: bounds how long a reader of results waits
READERS = 2
INTERACTIVE_LIMIT_S = 0.2

Listener = Callable[[tuple[Recorded, ...]], None]


class _Thread(aiosqlite.Connection):
    """An aiosqlite connection that can also run a whole function in its thread.

    One hop per operation instead of one per statement: 50 us saved on each of a file's statements.
    """

    async def run(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        return cast("T", await self._execute(fn, self._conn))  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class _Write:
    fn: Callable[[sqlite3.Connection], Any]
    answer: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None


class Database:
    """The open state. Made by `open_database`."""

    def __init__(self, writer: _Thread, readers: asyncio.Queue[_Thread]) -> None:
        self._writer = writer
        self._readers = readers
        self._waiting: asyncio.Queue[_Write | None] = asyncio.Queue(QUEUE_LIMIT)
        self._listeners: list[Listener] = []
        self._last_seq = 0

    async def write(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(con, ...)` in the next transaction and answer after its commit.

        Raises what `fn` raised (its own changes are rolled back, other writes are not touched),
        `Busy` when another process holds the database, `StorageFull` when the disk is full.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._waiting.put(_Write(lambda con: fn(con, *args, **kwargs), answer))
        return await answer

    async def read(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(con, ...)` on a read-only connection; it sees everything committed so far."""
        reader = await self._readers.get()
        try:
            return await reader.run(lambda con: fn(con, *args, **kwargs))
        except sqlite3.Error as error:
            raise translated(error) from error
        finally:
            self._readers.put_nowait(reader)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the events of each commit, in order; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _run_writer(self) -> None:
        """Gather what waits, commit it together, answer; ends at the closing None."""
        self._last_seq = await self._writer.run(events.latest_seq)
        ending = False
        while not ending:
            group, ending = self._gather(await self._waiting.get())
            if not group:
                continue
            try:
                fresh = await self._writer.run(
                    functools.partial(_commit, group=group, after=self._last_seq)
                )
            except sqlite3.Error as error:
                _fail(group, translated(error))
                continue
            _answer(group)
            self._publish(fresh)

    def _gather(self, first: _Write | None) -> tuple[list[_Write], bool]:
        group: list[_Write] = []
        following: _Write | None = first
        while following is not None:
            if not following.answer.cancelled():
                group.append(following)
            if len(group) >= GROUP_LIMIT or self._waiting.empty():
                return group, False
            following = self._waiting.get_nowait()
        return group, True

    def _publish(self, fresh: tuple[Recorded, ...]) -> None:
        if not fresh:
            return
        self._last_seq = fresh[-1].seq
        for listener in tuple(self._listeners):
            listener(fresh)

    async def _close(self, task: asyncio.Task[None]) -> None:
        await self._waiting.put(None)
        await task


def _commit(con: sqlite3.Connection, *, group: list[_Write], after: int) -> tuple[Recorded, ...]:
    """One transaction around all of `group`; runs in the writer's thread."""
    con.execute("BEGIN IMMEDIATE")
    try:
        for write in group:
            _run_in_savepoint(con, write)
        fresh = events.read_after(con, after, limit=None)
        con.execute("COMMIT")
    except BaseException:
        if con.in_transaction:
            con.execute("ROLLBACK")
        raise
    return fresh


def _run_in_savepoint(con: sqlite3.Connection, write: _Write) -> None:
    con.execute("SAVEPOINT one")
    try:
        write.value = write.fn(con)
    except Exception as error:  # border: one caller's failure must not end the writer
        if not con.in_transaction:  # a full disk ends the whole transaction by itself
            raise
        con.execute("ROLLBACK TO one")
        write.error = translated(error) if isinstance(error, sqlite3.Error) else error
    con.execute("RELEASE one")


def _answer(group: Iterable[_Write]) -> None:
    for write in group:
        if write.answer.done():
            continue
        if write.error is not None:
            write.answer.set_exception(write.error)
        else:
            write.answer.set_result(write.value)


def _fail(group: Iterable[_Write], error: BaseException) -> None:
    for write in group:
        write.error = error
    _answer(group)


def translated(error: sqlite3.Error) -> BaseException:
    """SQLite's error as ours, where a caller can act on it; others stay as they are."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy("Another program holds the database.", hint="Nothing is lost; try again.")
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StorageFull(
            "The disk of the state folder is full or failing; nothing was changed.",
            hint="Free some room there; Darkroom goes on by itself.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Broken("The database is damaged.", hint="Restart Darkroom: it restores a snapshot.")
    return error


@asynccontextmanager
async def open_database(
    path: Path, clock: Clock, *, busy_timeout_s: float = 5.0
) -> AsyncIterator[Database]:
    """Open (creating and migrating where needed) the state at `path` for the one process owning it.

    Raises `Broken` when the file is damaged or newer than this program.
    """
    async with AsyncExitStack() as stack:
        writer = await _open(stack, str(path), uri=False)
        await writer.run(functools.partial(_prepare_writer, busy_timeout_s=busy_timeout_s))
        keep = path.parent / f"before-upgrade-{clock.now():%Y%m%dT%H%M%S}.sqlite"
        await writer.run(functools.partial(migrate.migrate, keep=keep))
        readers = await _open_readers(stack, path, busy_timeout_s)
        database = Database(writer, readers)
        task = asyncio.create_task(database._run_writer(), name="state writer")
        try:
            yield database
        finally:
            await database._close(task)


async def _open_readers(
    stack: AsyncExitStack, path: Path, busy_timeout_s: float
) -> asyncio.Queue[_Thread]:
    readers: asyncio.Queue[_Thread] = asyncio.Queue()
    for _ in range(READERS):
        reader = await _open(stack, f"file:{quote(str(path))}?mode=ro", uri=True)
        await reader.run(functools.partial(_prepare_reader, busy_timeout_s=busy_timeout_s))
        readers.put_nowait(reader)
    return readers


async def _open(stack: AsyncExitStack, target: str, *, uri: bool) -> _Thread:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(target, isolation_level=None, uri=uri, cached_statements=512)

    connection = _Thread(connect, 64)
    return cast("_Thread", await stack.enter_async_context(connection))


@functools.cache
def _json_is_innocuous() -> bool:
    """Older SQLite (3.40 of Debian 12) refuses its own json_valid() in a CHECK without trust."""
    with contextlib.closing(sqlite3.connect(":memory:")) as con:
        con.execute("PRAGMA trusted_schema = OFF")
        try:
            con.execute("CREATE TABLE t (x CHECK (json_valid(x)))")
        except sqlite3.OperationalError:
            return False
    return True


def _prepare_writer(con: sqlite3.Connection, *, busy_timeout_s: float) -> None:
    con.row_factory = sqlite3.Row
    for pragma in (
        f"busy_timeout = {int(busy_timeout_s * 1000)}",
        f"trusted_schema = {'OFF' if _json_is_innocuous() else 'ON'}",
        "mmap_size = 0",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        con.execute(f"PRAGMA {pragma}")


def _prepare_reader(con: sqlite3.Connection, *, busy_timeout_s: float) -> None:
    con.row_factory = sqlite3.Row
    for pragma in (
        f"busy_timeout = {int(busy_timeout_s * 1000)}",
        f"trusted_schema = {'OFF' if _json_is_innocuous() else 'ON'}",
        "mmap_size = 0",
        "query_only = ON",
    ):
        con.execute(f"PRAGMA {pragma}")
