"""SQLite connections in threads of their own, opened the one way Darkroom opens them.

Promises: only `writable` can change or checkpoint the database; `read_only` is refused by SQLite
twice over (`mode=ro` and `query_only`). Descriptors are closed on exec by SQLite itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import quote

import aiosqlite

T = TypeVar("T")

STATEMENTS = 512  # prepared statements kept by each connection: more than Darkroom has
WAL_KEPT = 64 << 20  # bytes of log file left on disk after a burst
CACHE_KIB = 16_384


class Thread(aiosqlite.Connection):
    """An aiosqlite connection that can also run a whole function in its thread.

    One hop per function instead of one per statement, which costs 25 to 50 us each; aiosqlite has
    no public call for that.
    """

    async def run(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """`fn(con)`, run in this connection's thread."""
        return cast("T", await self._execute(fn, self._conn))  # type: ignore[no-untyped-call]  # aiosqlite's own method has no types

    def interrupt_now(self) -> None:
        """End the statement that runs at this moment; the connection stays usable."""
        self._conn.interrupt()

    async def ended(self) -> None:
        """Return when the thread is gone; aiosqlite's `close` only tells it to go."""
        await asyncio.to_thread(self._thread.join)


@asynccontextmanager
async def writable(path: Path, busy_timeout_s: float) -> AsyncIterator[Thread]:
    """The connection that may write; there must be only one."""
    pragmas = (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"journal_size_limit = {WAL_KEPT}",
    )
    async with _opened(lambda: _connect(path, "rwc", busy_timeout_s, pragmas)) as thread:
        yield thread


@asynccontextmanager
async def read_only(path: Path, busy_timeout_s: float) -> AsyncIterator[Thread]:
    """A connection that can only read."""
    connect = functools.partial(_connect, path, "ro", busy_timeout_s, ("query_only = ON",))
    async with _opened(connect) as thread:
        yield thread


@asynccontextmanager
async def _opened(connect: Callable[[], sqlite3.Connection]) -> AsyncIterator[Thread]:
    thread = Thread(connect, 64)
    try:
        async with thread:
            yield thread
    finally:
        await thread.ended()


def _connect(
    path: Path, mode: str, busy_timeout_s: float, pragmas: tuple[str, ...]
) -> sqlite3.Connection:
    con = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        isolation_level=None,  # transactions are begun and ended by us alone
        cached_statements=STATEMENTS,
        timeout=busy_timeout_s,
    )
    try:
        con.row_factory = sqlite3.Row
        for pragma in (
            f"trusted_schema = {'OFF' if _json_is_innocuous() else 'ON'}",
            "mmap_size = 0",  # a disk error on mapped memory is a signal that ends the process
            f"cache_size = -{CACHE_KIB}",
            "temp_store = MEMORY",  # else each savepoint of some pages writes its undo log to disk
            *pragmas,
        ):
            con.execute(f"PRAGMA {pragma}")
    except BaseException:
        con.close()
        raise
    return con


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
