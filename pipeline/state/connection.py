"""The one writing connection, with group commit, and the read-only readers.

Promises: exactly one connection ever writes or checkpoints; a write is answered only after its
COMMIT with `synchronous=FULL`; a write that fails fails alone; the event loop never waits for the
disk. Functions given to `write` and `read` are plain and synchronous, and never commit. SQLite's
own errors leave here as ours (`failures.py`); whatever else a function raises passes unchanged.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

import structlog

from pipeline.clock import Clock, timestamp
from pipeline.errors import Busy
from pipeline.events import Recorded
from pipeline.state import disk, events, kept, migrate, search, snapshots, thread
from pipeline.state import group as group_commit
from pipeline.state.failures import translated
from pipeline.state.group import Write
from pipeline.state.kept import Kept, Rows
from pipeline.state.readers import Readers
from pipeline.state.thread import Thread

P = ParamSpec("P")
T = TypeVar("T")

QUEUE_LIMIT = 4096  # waiting writes; a producer beyond that waits too
GROUP_LIMIT = 512  # writes in one transaction: bounds how long the first waits for the last
READERS = 3
INTERACTIVE_LIMIT_S = 0.2
STEPS_BETWEEN_LOOKS = 2_000  # SQLite instructions between two looks at the clock: about 50 us
BUSY_TIMEOUT_S = 5.0

_log = structlog.get_logger(__name__)

Listener = Callable[[tuple[Recorded, ...]], None]


class Database:
    """The open state. Made by `open_database` or, for looking only, by `open_for_reading`."""

    def __init__(self, path: Path, clock: Clock, readers: Iterable[Thread]) -> None:
        self.path = path
        self._clock = clock
        self._readers = Readers(readers)
        self._kept = Kept()
        self._waiting: asyncio.Queue[Write | None] = asyncio.Queue(QUEUE_LIMIT)
        self._listeners: list[Listener] = []
        self._last_seq = 0
        self._index_is_broken = False
        self._writer: Thread | None = None
        self._rewriting = asyncio.Lock()
        self._refusal: str | None = "Another Darkroom owns this home; here it can only be read."

    async def write(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(con, ...)` in the next transaction and answer after its commit.

        Raises what `fn` raised (its own changes are rolled back, other writes are not touched),
        `Busy` when another process holds the database or Darkroom is stopping, `StorageFull` when
        the disk is full. When the caller is cancelled, a group already begun is still committed.
        """
        self._refuse_if_closed()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._waiting.put(Write(lambda con: fn(con, *args, **kwargs), answer))
        return await answer

    async def read(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(con, ...)` on a read-only connection, over one unchanging view of the state.

        That view holds everything committed so far.
        """
        return await self._read(lambda con: _viewed(con, lambda: fn(con, *args, **kwargs)))

    async def read_kept(
        self,
        rows: tuple[Rows, ...],
        fn: Callable[Concatenate[sqlite3.Connection, str, P], T],
        owner_id: str,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """As `read`, of `fn(con, owner_id, ...)`; asked again only when such rows changed.

        `rows` are all that the answer depends on. It is shared: nobody may change it.
        """
        if self._writer is None:  # another process may write
            return await self.read(fn, owner_id, *args, **kwargs)
        question = (fn, owner_id, args, tuple(sorted(kwargs.items())))
        stamp = self._kept.stamp(rows, owner_id)
        known = self._kept.get(question, stamp)
        if known is not None:
            return cast("T", known.value)
        value = await self.read(fn, owner_id, *args, **kwargs)
        self._kept.put(question, stamp, value)
        return value

    async def read_within(
        self,
        seconds: float,
        fn: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """As `read`, but raises `TooLarge` after `seconds` of work: for searches people type."""

        def limited(con: sqlite3.Connection) -> T:
            end = self._clock.monotonic() + seconds
            con.set_progress_handler(lambda: self._clock.monotonic() > end, STEPS_BETWEEN_LOOKS)
            try:
                return _viewed(con, lambda: fn(con, *args, **kwargs))
            finally:
                con.set_progress_handler(None, 0)

        return await self._read(limited)

    async def rewrite(self) -> None:
        """Write the whole file anew, so that no byte of what was deleted is left in it or its log.

        Reading and writing wait meanwhile. Raises `Busy` when another process reads it, and
        `StorageFull` where there is no room for a second copy; nothing is lost then.
        """
        self._refuse_if_closed()
        writer = self._writer
        assert writer is not None, "what can be written to has a writer"
        async with self._rewriting, AsyncExitStack() as nobody_reads:
            for _ in range(READERS):
                await nobody_reads.enter_async_context(self._readers.one())
            try:
                await writer.run(_rewrite)
            except sqlite3.Error as error:
                raise translated(error) from error

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the events of each commit, in order; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _read(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        async with self._readers.one() as reader:
            try:
                return await reader.run(fn)
            except sqlite3.Error as error:
                raise translated(error) from error
            except asyncio.CancelledError:
                reader.interrupt_now()  # nobody waits for this answer: let the next one begin
                raise

    def _refuse_if_closed(self) -> None:
        if self._refusal is not None:
            raise Busy(self._refusal, hint="Nothing was changed; try again later.")

    @asynccontextmanager
    async def _writing(self, writer: Thread) -> AsyncIterator[None]:
        """Take writes until the block ends, then commit what waits and refuse the rest."""
        self._last_seq = await writer.run(events.latest_seq)
        self._refusal, self._writer = None, writer
        task = asyncio.create_task(self._run_writer(writer), name="state writer")
        try:
            yield
        finally:
            self._refusal = "Darkroom is stopping."
            await self._waiting.put(None)
            await task

    async def _run_writer(self, writer: Thread) -> None:
        """Gather what waits, commit it together, answer; ends at the closing None."""
        ending = False
        while not ending:
            group, ending = self._gather(await self._waiting.get(), GROUP_LIMIT)
            try:
                await self._write_group(writer, group)
            except Exception as error:  # border: no failure of one group may end the writer
                group_commit.fail(
                    group, translated(error) if isinstance(error, sqlite3.Error) else error
                )
        self._refuse_waiting(Busy("Darkroom is stopping; nothing was changed."))

    async def _write_group(self, writer: Thread, group: list[Write]) -> None:
        if not group:
            return
        try:
            after = self._last_seq if self._listeners else None
            done = await writer.run(
                lambda con: group_commit.commit(con, group, self._settle, after)
            )
        except sqlite3.OperationalError as error:
            refusal = translated(error)
            if isinstance(refusal, Busy):  # those behind have waited as well: they may go too
                self._refuse_waiting(refusal)
            raise
        self._kept.note(done.touched)  # before anybody hears that it is done
        group_commit.answer(group)
        fresh = done.fresh
        if after is None and self._listeners:  # somebody came while this was committed
            before = self._last_seq
            fresh = await writer.run(lambda con: events.read_after(con, before, limit=None))
        self._publish(done.latest, fresh)

    def _settle(self, con: sqlite3.Connection) -> None:
        """Bring the search index up to date; it can be made again, so it never stops a write."""
        if self._index_is_broken:
            return
        con.execute("SAVEPOINT settling")
        try:
            search.settle(con, timestamp(self._clock.now()))
        except Exception:  # border: what is derived must not endanger what is precious
            if not con.in_transaction:  # a full disk ends the whole transaction by itself
                raise
            con.execute("ROLLBACK TO settling")
            self._index_is_broken = True  # until the next start
            _log.exception("the search index cannot be kept up to date")
        con.execute("RELEASE settling")

    def _publish(self, latest: int, fresh: tuple[Recorded, ...]) -> None:
        """Tell the listeners of what was committed, up to the number `latest`."""
        self._last_seq = latest
        if not fresh:
            return
        for listener in tuple(self._listeners):
            try:
                listener(fresh)
            except Exception:  # border: one listener's mistake is nobody else's
                _log.exception("a listener of events failed", upto=latest)

    def _gather(self, first: Write | None, limit: int) -> tuple[list[Write], bool]:
        group: list[Write] = []
        following: Write | None = first
        while following is not None:
            if not following.answer.cancelled():
                group.append(following)
            if len(group) >= limit or self._waiting.empty():
                return group, False
            following = self._waiting.get_nowait()
        return group, True

    def _refuse_waiting(self, error: BaseException) -> None:
        while not self._waiting.empty():
            group, ending = self._gather(self._waiting.get_nowait(), QUEUE_LIMIT)
            group_commit.fail(group, error)
            if ending:
                self._waiting.put_nowait(None)
                return


def _rewrite(con: sqlite3.Connection) -> None:
    con.execute("VACUUM")
    is_busy = con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if is_busy:
        raise Busy(
            "Another program reads the database; bytes of what was deleted may be in its log.",
            hint="Close that program; Darkroom tries again by itself.",
        )


def _viewed(con: sqlite3.Connection, fn: Callable[[], T]) -> T:
    con.execute("BEGIN")
    try:
        return fn()
    finally:
        if con.in_transaction:
            con.execute("ROLLBACK")


@asynccontextmanager
async def open_database(
    path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> AsyncIterator[Database]:
    """Open (creating and migrating where needed) the state at `path` for the one process owning it.

    Closing commits what waits, ends all threads and merges the log file into the database.
    Raises `Broken` when the file is damaged or newer than this program (see `opening.make_ready`),
    `Invalid` when it lies on a network share.
    """
    async with AsyncExitStack() as stack:
        try:
            await asyncio.to_thread(_prepare_place, path)
            writer = await stack.enter_async_context(thread.writable(path, busy_timeout_s))
            await writer.run(lambda con: _migrate(con, path, clock))
            await writer.run(kept.watch)
            database = await _with_readers(stack, path, clock, busy_timeout_s)
            await stack.enter_async_context(database._writing(writer))
        except sqlite3.Error as error:
            raise translated(error) from error
        yield database


@asynccontextmanager
async def open_for_reading(
    path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> AsyncIterator[Database]:
    """Look into the state at `path`, also while another process owns it; `write` raises `Busy`.

    So does opening a state that is still to be set up or upgraded by its owner.
    """
    async with AsyncExitStack() as stack:
        try:
            database = await _with_readers(stack, path, clock, busy_timeout_s)
        except sqlite3.Error as error:
            raise translated(error) from error
        await database.read(migrate.refuse_other)
        yield database


async def _with_readers(
    stack: AsyncExitStack, path: Path, clock: Clock, busy_timeout_s: float
) -> Database:
    readers = [
        await stack.enter_async_context(thread.read_only(path, busy_timeout_s))
        for _ in range(READERS)
    ]
    return Database(path, clock, readers)


def _prepare_place(path: Path) -> None:
    """The folder and an empty file only its owner may read: SQLite's own would be for all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    disk.refuse_network(path)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _migrate(con: sqlite3.Connection, path: Path, clock: Clock) -> None:
    now = clock.now()
    migrate.migrate(
        con, at=timestamp(now), keep=lambda: snapshots.take(path, now, "before-upgrade")
    )
