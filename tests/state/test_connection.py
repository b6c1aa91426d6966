"""Group commit, readers, closing."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from pipeline.clock import SystemClock
from pipeline.errors import Broken, Busy, Conflict, NotFound, StorageOffline, TooLarge
from pipeline.events import FileReleased
from pipeline.state import events, opening, settings, snapshots
from pipeline.state.connection import Database, open_database, open_for_reading
from pipeline.state.thread import Thread
from tests.kit.state import AT

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def _endless(con: sqlite3.Connection) -> None:
    con.execute(ENDLESS).fetchone()


def _other_connection_sees(path: Path, key: str) -> bool:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as con:
        found = con.execute("SELECT 1 FROM settings WHERE key = ?", (key,)).fetchone()
    con.close()
    return found is not None


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_an_answered_write_is_committed(db: Database, path: Path) -> None:
    """When `write` has answered, any other connection sees the change."""
    await db.write(settings.put, "a", 1)
    assert _other_connection_sees(path, "a")


async def test_the_value_of_the_function_comes_back(db: Database) -> None:
    """`write` and `read` answer what the function answered."""
    await db.write(settings.put, "a", [1, {"b": None}])
    assert await db.read(settings.get, "a") == [1, {"b": None}]
    assert await db.write(settings.get, "a") == [1, {"b": None}]


async def test_a_failing_write_fails_alone(db: Database) -> None:
    """Of many writes in one group the one that raises is undone whole, the others stand."""

    def fail(con: sqlite3.Connection) -> None:
        settings.put(con, "half", 1)
        raise NotFound("There is no such file.")

    good = [db.write(settings.put, f"k{i}", i) for i in range(20)]
    answers = await asyncio.gather(*good[:10], db.write(fail), *good[10:], return_exceptions=True)
    assert [type(a) for a in answers if a is not None] == [NotFound]
    assert [await db.read(settings.get, f"k{i}") for i in range(20)] == list(range(20))
    assert await db.read(settings.get, "half") is None


async def test_a_stray_stop_iteration_reaches_its_caller(db: Database) -> None:
    """`next()` of an empty cursor is an error for one caller, and hangs nobody."""
    wrong = db.write(lambda con: next(con.execute("SELECT 1 FROM media_files")))
    answers = await asyncio.gather(wrong, db.write(settings.put, "a", 1), return_exceptions=True)
    assert [type(answer) for answer in answers] == [RuntimeError, type(None)]


async def test_waiting_writes_share_a_commit(
    db: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 concurrent writes need a handful of commits, in the order they were asked for."""
    groups: list[int] = []
    run = Thread.run

    async def spy(self: Thread, fn):  # type: ignore[no-untyped-def]
        groups.append(1)
        return await run(self, fn)

    monkeypatch.setattr(Thread, "run", spy)
    await asyncio.gather(*(db.write(settings.put, "last", i) for i in range(500)))
    assert len(groups) <= 10
    monkeypatch.undo()
    assert await db.read(settings.get, "last") == 499


async def test_errors_of_sqlite_become_ours(db: Database) -> None:
    """A taken name is a Conflict; broken constraints and broken SQL are Broken, never sqlite3's."""

    def run(con: sqlite3.Connection, sql: str) -> None:
        con.execute(sql)

    taken = "INSERT INTO settings (key, value) VALUES ('a', '1')"
    await db.write(run, taken)
    with pytest.raises(Conflict):
        await db.write(run, taken)
    with pytest.raises(Broken) as refused:
        await db.write(run, "INSERT INTO settings (key, value) VALUES ('b', 'not json')")
    assert isinstance(refused.value.__cause__, sqlite3.IntegrityError)
    with pytest.raises(Broken):
        await db.read(run, "SELECT nonsense")


async def test_a_function_that_commits_is_refused(db: Database) -> None:
    """A function must not end the group's transaction; the writer goes on after one that did."""
    with pytest.raises(Broken):
        await db.write(lambda con: con.commit())
    await db.write(settings.put, "a", 1)
    assert await db.read(settings.get, "a") == 1


async def test_a_read_sees_one_view(db: Database) -> None:
    """Within one `read` nothing changes, whatever is committed meanwhile."""
    await db.write(settings.put, "a", 1)
    loop = asyncio.get_running_loop()

    def twice(con: sqlite3.Connection) -> tuple[int, int]:
        first = settings.get(con, "a")
        asyncio.run_coroutine_threadsafe(db.write(settings.put, "a", 2), loop).result(10)
        return first, settings.get(con, "a")

    assert await db.read(twice) == (1, 1)
    assert await db.read(settings.get, "a") == 2


async def test_readers_refuse_writes(db: Database) -> None:
    """T27: a reader cannot write or checkpoint, not even when a function lifts `query_only`."""

    def sneak(con: sqlite3.Connection) -> None:
        con.execute("ROLLBACK")
        con.execute("PRAGMA query_only = OFF")
        con.execute("INSERT INTO settings (key, value) VALUES ('a', '1')")

    def checkpoint(con: sqlite3.Connection) -> tuple[int, ...]:
        con.execute("ROLLBACK")
        return tuple(con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())

    with pytest.raises(StorageOffline, match="readonly"):
        await db.read(sneak)
    with pytest.raises(StorageOffline):
        await db.read(checkpoint)
    assert await db.read(settings.get, "a") is None


@pytest.mark.skipif(not Path("/proc/self/fdinfo").exists(), reason="needs /proc")
async def test_exactly_one_descriptor_can_write(db: Database, path: Path) -> None:
    """T27: the kernel knows one writable descriptor of the database; all close on exec."""
    await asyncio.gather(*(db.read(settings.get, "a") for _ in range(20)))
    modes = []
    for fd in Path("/proc/self/fd").iterdir():
        try:
            target = fd.readlink()
        except OSError:
            continue
        if target.name.startswith(path.name):
            assert not os.get_inheritable(int(fd.name)), target
        if target == path:
            flags = int(Path(f"/proc/self/fdinfo/{fd.name}").read_text().split()[3], 8)
            modes.append(flags & os.O_ACCMODE)
    assert modes.count(os.O_RDWR) == 1
    assert modes.count(os.O_RDONLY) == len(modes) - 1 >= 2


async def test_exactly_one_connection_is_opened_to_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T27: from looking for damage to closing, one connection to the state may write, all told."""
    opened: list[str] = []
    connect = sqlite3.connect

    def spy(target: str, *args: Any, **kwargs: Any) -> sqlite3.Connection:
        opened.append(str(target))
        return connect(target, *args, **kwargs)

    monkeypatch.setattr(sqlite3, "connect", spy)
    for _ in range(2):
        opened.clear()
        opening.make_ready(path, SystemClock().now(), shutil.move)
        async with open_database(path, SystemClock()) as db:
            await db.write(settings.put, "a", 1)
            await asyncio.gather(*(db.read(settings.get, "a") for _ in range(20)))
            await asyncio.to_thread(snapshots.take, path, SystemClock().now(), "nightly")
    ours = [target for target in opened if target.startswith(f"file:{path}?")]
    assert len(ours) > 4
    assert [target for target in ours if "mode=ro" not in target] == [f"file:{path}?mode=rwc"]
    others = {t for t in opened if t not in ours and t != ":memory:"}
    assert not [t for t in others if "snapshots" not in t]


async def test_a_search_that_takes_too_long_is_stopped(db: Database) -> None:
    """`read_within` gives up on time, and the reader goes on to serve others."""
    began = time.monotonic()
    with pytest.raises(TooLarge):
        await db.read_within(0.05, _endless)
    assert time.monotonic() - began < 5
    await asyncio.gather(*(db.read(settings.get, "a") for _ in range(10)))


async def test_a_cancelled_read_frees_its_reader(db: Database) -> None:
    """Cancelling every reader's endless query leaves all of them usable."""
    for _ in range(4):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await db.read(_endless)
    async with asyncio.timeout(10):
        await asyncio.gather(*(db.read(settings.get, "a") for _ in range(10)))


async def test_the_loop_runs_while_the_writer_works(db: Database) -> None:
    """A long write holds up other writes, never the event loop."""
    started, go_on = threading.Event(), threading.Event()

    def slow(con: sqlite3.Connection) -> bool:
        started.set()
        return go_on.wait(10)

    writing = asyncio.create_task(db.write(slow))
    while not started.is_set():
        await asyncio.sleep(0)
    assert await db.read(settings.get, "a") is None
    go_on.set()
    assert await writing is True


async def test_a_cancelled_write_leaves_the_others(db: Database) -> None:
    """Cancelling a writer that waits neither loses nor stops anybody else's write."""
    tasks = [asyncio.create_task(db.write(settings.put, f"k{i}", i)) for i in range(50)]
    await asyncio.sleep(0)
    tasks[7].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(a) for a in answers if a is not None] == [asyncio.CancelledError]
    assert await db.read(settings.get, "k49") == 49


async def test_closing_commits_what_waits_and_refuses_the_rest(path: Path) -> None:
    """Every write asked for before the close is on disk; one asked for after it is refused."""
    async with open_database(path, SystemClock()) as db:
        tasks = [asyncio.create_task(db.write(settings.put, f"k{i}", i)) for i in range(3000)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [None] * 3000
    with pytest.raises(Busy):
        await db.write(settings.put, "late", 1)
    assert _other_connection_sees(path, "k2999")
    assert not _other_connection_sees(path, "late")


async def test_a_full_queue_makes_producers_wait_not_fail(path: Path) -> None:
    """More writers than the queue holds are all answered, also those that waited at its door."""
    async with open_database(path, SystemClock()) as db:
        tasks = [asyncio.create_task(db.write(settings.put, "n", i)) for i in range(6000)]
        await asyncio.gather(*tasks)
        assert await db.read(settings.get, "n") == 5999


async def test_closing_merges_the_log(path: Path) -> None:
    """After an orderly end there is one file, and only its owner can read it."""
    async with open_database(path, SystemClock()) as db:
        await db.write(settings.put, "a", 1)
        assert path.with_name(f"{path.name}-wal").exists()
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o077 == 0


async def test_opening_and_closing_leaks_nothing(path: Path) -> None:
    """50 times open and close leave no descriptor and no thread behind."""

    async def once() -> None:
        async with open_database(path, SystemClock()) as db:
            await db.write(settings.put, "a", 1)
            await db.read(settings.get, "a")

    for _ in range(20):  # the event loop's own thread pool grows to its size first
        await once()
    descriptors, threads = _descriptors(), threading.active_count()
    for _ in range(50):
        await once()
    assert _descriptors() <= descriptors + 2
    assert threading.active_count() <= threads + 2


async def test_a_failed_opening_leaks_nothing(path: Path) -> None:
    """A database that cannot be opened leaves no thread, and says what is wrong."""
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 400)
    threads = threading.active_count()
    with pytest.raises(Broken):
        async with open_database(path, SystemClock()):
            pass
    assert threading.active_count() <= threads + 2


async def test_another_process_may_look(db: Database, path: Path) -> None:
    """`open_for_reading` sees what is committed beside the owner, and refuses to write."""
    await db.write(settings.put, "a", 1)
    async with open_for_reading(path, SystemClock()) as looking:
        assert await looking.read(settings.get, "a") == 1
        with pytest.raises(Busy):
            await looking.write(settings.put, "a", 2)


async def test_a_state_not_yet_set_up_cannot_be_looked_into(path: Path) -> None:
    """Looking never creates or upgrades a database: it says that its owner must start first."""
    path.parent.mkdir()
    path.touch()
    with pytest.raises(Busy, match="set up or upgraded"):
        async with open_for_reading(path, SystemClock()):
            pass
    assert path.stat().st_size == 0


async def test_listeners_hear_of_each_event_once_in_order(db: Database) -> None:
    """Listeners get the events of each commit, none twice, none of a write that failed."""
    heard: list[int] = []
    stop = db.listen(lambda fresh: heard.extend(event.seq for event in fresh))

    def tell(con: sqlite3.Connection, fail: bool) -> None:
        events.append(con, FileReleased("f"), actor="test", at=AT)
        if fail:
            raise NotFound("no")

    await asyncio.gather(
        *(db.write(tell, fail=i % 3 == 0) for i in range(90)), return_exceptions=True
    )
    await db.write(settings.put, "a", 1)
    assert heard == list(range(1, 61))
    stop()
    await db.write(tell, fail=False)
    await db.write(settings.put, "a", 1)
    assert heard == list(range(1, 61))


async def test_a_failing_listener_does_not_stop_the_writer(db: Database) -> None:
    """One listener's mistake ends neither the writing nor what the others hear; it is logged."""
    heard: list[int] = []

    def fail(fresh: object) -> None:
        raise RuntimeError("listener")

    db.listen(fail)
    db.listen(lambda fresh: heard.extend(event.seq for event in fresh))
    with capture_logs() as logs:
        for _ in range(3):
            await db.write(lambda con: events.append(con, FileReleased("f"), actor="t", at=AT))
        await db.write(settings.put, "a", 1)
    assert heard == [1, 2, 3]
    assert len(logs) == 3
