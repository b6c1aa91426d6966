"""Watching: what appears is taken when finished; a root may vanish and come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from pipeline.clock import SystemClock
from pipeline.intake.notices import extents
from pipeline.intake.posts import Posts
from pipeline.intake.watch import Pace, notices, watch
from pipeline.model import Root, RootKind, Take
from pipeline.state.connection import Database
from tests.intake.conftest import Make, rows
from tests.kit.clock import FakeClock

QUIET = 10.0


class Notices:
    """Change notices that a test gives."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[set[str]] = asyncio.Queue()

    async def __call__(self, path: Path) -> AsyncIterator[set[str]]:
        while True:
            yield await self.queue.get()

    async def give(self, *paths: Path) -> None:
        """Say that these changed."""
        await self.queue.put(set(map(str, paths)))


async def silence(path: Path) -> AsyncIterator[set[str]]:
    """A disk that tells nothing."""
    await asyncio.Event().wait()
    yield set()


async def broken(path: Path) -> AsyncIterator[set[str]]:
    """A system that cannot watch so many folders."""
    raise OSError(28, "OS file watch limit reached")
    yield set()


@asynccontextmanager
async def watching(
    db: Database,
    clock: FakeClock | SystemClock,
    root: Root,
    changes: object,
    pace: Pace,
    posts: Posts | None = None,
) -> AsyncIterator[None]:
    """The watch, running for the length of a block."""
    task = asyncio.create_task(
        watch(db, clock, [root], pace, changes=changes, posts=posts),  # type: ignore[arg-type]
        name="watch under test",
    )
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled(), task


async def names(db: Database) -> list[str]:
    """What was admitted."""
    found = await db.read(
        rows, "SELECT CAST(source_path AS TEXT) AS n FROM media_files ORDER BY source_path"
    )
    return [row["n"] for row in found]


async def pass_until(clock: FakeClock, done: Callable[[], object], limit_s: float = 120) -> float:
    """Let time pass in steps, with real turns for threads, until `done`; how much passed."""
    passed = 0.0
    while not await done():  # type: ignore[misc]
        assert passed < limit_s, "it never came"
        await clock.advance(0.5)
        await asyncio.sleep(0.01)
        passed += 0.5
    return passed


async def test_a_slow_copy_into_the_inbox(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T20: chunks for 60 s, pauses under the delay: never early; taken <= 2 x delay afterwards."""
    root = await make_root(tmp_path, RootKind.INBOX, Take.MOVE)
    given, path = Notices(), tmp_path / "film.mp4"
    async with watching(db, clock, root, given, Pace(quiet_s=QUIET)):
        for chunk in range(1, 9):
            path.write_bytes(b"x" * chunk)
            await given.give(path)
            for _ in range(16):
                await clock.advance(0.5)
                await asyncio.sleep(0.005)
            assert await names(db) == []
        after = await pass_until(clock, lambda: names(db))
    assert after <= 2 * QUIET
    (row,) = await db.read(rows, "SELECT size, take FROM media_files")
    assert (row["size"], row["take"]) == (8, "move")


async def test_without_notices_the_regular_look_is_enough(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """A disk that tells nothing, or a system that cannot watch, only makes it slower."""
    root = await make_root(tmp_path, RootKind.INBOX, Take.MOVE)
    for number, changes in enumerate((silence, broken)):
        async with watching(db, clock, root, changes, Pace(QUIET, rescan_s=30)):
            await clock.advance(1)
            (tmp_path / f"{number}.jpg").write_bytes(b"x")
            await pass_until(clock, lambda n=number: _count(db, n + 1))
    assert await names(db) == ["0.jpg", "1.jpg"]


async def test_a_root_that_vanishes_and_comes_back(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T12 for watching: offline while away, taken up by itself, nothing written meanwhile."""
    inbox, aside = tmp_path / "inbox", tmp_path / "aside"
    inbox.mkdir()
    root = await make_root(inbox, RootKind.INBOX, Take.MOVE)
    async with watching(db, clock, root, silence, Pace(QUIET, rescan_s=30)):
        await clock.advance(1)
        inbox.rename(aside)
        await pass_until(clock, lambda: _state_is(db, "offline"))
        (aside / "a.jpg").write_bytes(b"x")
        assert not inbox.exists()
        aside.rename(inbox)
        await pass_until(clock, lambda: _count(db, 1))
    assert await _state_is(db, "online")


async def test_the_systems_own_notices(tmp_path: Path, db: Database, make_root: Make) -> None:
    """With the real clock and the real notices a file is taken soon after it appears."""
    root = await make_root(tmp_path, RootKind.INBOX, Take.MOVE)
    async with watching(db, SystemClock(), root, notices, Pace(quiet_s=0.2)):
        await asyncio.sleep(0.5)
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a.jpg").write_bytes(b"x")
        (tmp_path / ".a.jpg.crdownload").write_bytes(b"x")
        async with asyncio.timeout(20):
            while not await names(db):
                await asyncio.sleep(0.05)
    assert await names(db) == ["sub/a.jpg"]


def test_notices_become_the_least_that_must_be_looked_at(tmp_path: Path) -> None:
    """Files by name, new folders whole, names that cannot be said by their folder; junk not."""
    (tmp_path / "new" / "sub").mkdir(parents=True)
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / "library").mkdir()
    for below in ("a.jpg", "Thumbs.db", "@eaDir/x.jpg", "library/b.jpg"):
        (tmp_path / below).write_bytes(b"x")
    (tmp_path / "link.jpg").symlink_to("/etc/passwd")
    changed = ["a.jpg", "Thumbs.db", "@eaDir/x.jpg", "library/b.jpg", "link.jpg", "gone.jpg"]
    told = [str(tmp_path / name) for name in [*changed, "new", "caf\ufffd.jpg"]]
    found = extents(tmp_path, [*told, "/etc/passwd"], (tmp_path / "library",))
    assert [(e.only, e.below, e.deep) for e in found] == [
        (None, ("new",), True),
        (None, ("",), False),
        (("a.jpg",), ("",), True),
    ]


async def _count(db: Database, wanted: int) -> bool:
    return len(await names(db)) >= wanted


async def _state_is(db: Database, state: str) -> bool:
    return bool(await db.read(rows, "SELECT 1 FROM roots WHERE state = ?", state))


async def test_roots_come_and_go_while_it_runs(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """One that is chosen is watched at once, swept when asked to, and then left alone."""
    folders = [tmp_path / name for name in ("inbox", "card")]
    for folder in folders:
        folder.mkdir()
    inbox, card = [await make_root(folder, RootKind.MANAGED, Take.COPY) for folder in folders]
    posts, pace = Posts(), Pace(QUIET, rescan_s=100_000)
    assert not posts.begin(card)
    assert not posts.look(card.id)
    async with watching(db, clock, inbox, silence, pace, posts):
        await clock.advance(1)
        assert posts.begin(card)
        (folders[1] / "a.jpg").write_bytes(b"x")
        assert posts.look(card.id)
        await pass_until(clock, lambda: _count(db, 1))
        (folders[1] / "b.jpg").write_bytes(b"x")
        posts.look(card.id)
        await pass_until(clock, lambda: _count(db, 2))
        posts.end(card.id)
        assert not posts.look(card.id)
        (folders[0] / "c.jpg").write_bytes(b"x")
        assert posts.look(inbox.id)
        await pass_until(clock, lambda: _count(db, 3))
    assert await names(db) == ["a.jpg", "b.jpg", "c.jpg"]
