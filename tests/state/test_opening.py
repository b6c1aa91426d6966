"""A damaged state is found, set aside and replaced; it never comes back silently empty."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import Broken
from pipeline.state import damage, events, opening, settings, snapshots
from pipeline.state.connection import open_database
from pipeline.state.opening import Found
from tests.kit.state import add_files, add_household, file_count

AT = datetime(2024, 5, 17, 3, 0, tzinfo=UTC)
IN_SNAPSHOT, AFTER_SNAPSHOT = 300, 20

Mutation = Callable[[Path, random.Random], None]


def _flipped(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 8, 64))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _flipped_header(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(100)] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _overwritten(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data) // 4096) * 4096
    data[at : at + 4096] = chance.randbytes(4096)
    path.write_bytes(data)


def _truncated(path: Path, chance: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(1, len(data))])


def _emptied(path: Path, chance: random.Random) -> None:
    path.write_bytes(b"")


def _gone(path: Path, chance: random.Random) -> None:
    path.unlink()


def _another_database(path: Path, chance: random.Random) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as con, con:
        con.execute("CREATE TABLE cats (name TEXT)")


def _without_wal(path: Path, chance: random.Random) -> None:
    path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)


def _foreign_wal(path: Path, chance: random.Random) -> None:
    other = path.with_name("other.sqlite")
    with contextlib.closing(sqlite3.connect(other, isolation_level=None)) as con:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("CREATE TABLE cats (name TEXT)")
        con.executemany("INSERT INTO cats VALUES (?)", [("x" * 500,)] * chance.randrange(10, 200))
        shutil.copyfile(f"{other}-wal", f"{path}-wal")


def _garbage_wal(path: Path, chance: random.Random) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(chance.randbytes(8192))


MUTATIONS = (
    *(_flipped, _flipped_header, _overwritten, _truncated, _emptied),
    *(_gone, _another_database, _without_wal, _foreign_wal, _garbage_wal),
)


@dataclass(frozen=True)
class Family:
    """A state that was killed, not closed, and photos that must not change."""

    path: Path
    photos: Path

    def hashes(self) -> dict[str, str]:
        """What the photos are."""
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in self.photos.iterdir()}


@pytest.fixture(scope="session")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Family:
    """Made once; each test damages a copy."""
    home = tmp_path_factory.mktemp("home")
    with ThreadPoolExecutor(1) as beside:  # a loop of its own: the test's is not to be disturbed
        beside.submit(asyncio.run, _kill(home)).result()
    photos = home / "library"
    photos.mkdir()
    for number in range(5):
        (photos / f"{number}.jpg").write_bytes(random.Random(number).randbytes(999))
    return Family(home / "state" / "darkroom.sqlite", photos)


async def _kill(home: Path) -> None:
    """Files in the state, a snapshot, then more files that stand only in the log."""
    live = home / "live" / "darkroom.sqlite"
    async with open_database(live, SystemClock()) as db:
        await db.write(add_household)
        await db.write(add_files, [f"f{i}" for i in range(IN_SNAPSHOT)])
        await db.write(lambda con: settings.put(con, "big", "x" * 300_000))
    async with open_database(live, SystemClock()) as db:
        snapshots.take(live, AT, "nightly")
        await db.write(add_files, [f"later{i}" for i in range(AFTER_SNAPSHOT)])
        shutil.copytree(live.parent, home / "state")  # as a power cut leaves it


@pytest.fixture
def family(killed: Family, tmp_path: Path) -> Family:
    """A copy to damage."""
    shutil.copytree(killed.path.parent, tmp_path / "state")
    shutil.copytree(killed.photos, tmp_path / "library")
    return Family(tmp_path / "state" / killed.path.name, tmp_path / "library")


def _cases() -> list[object]:
    fast = [pytest.param(m, 0, id=m.__name__.strip("_")) for m in MUTATIONS]
    long = [
        pytest.param(m, seed, marks=pytest.mark.long, id=f"{m.__name__.strip('_')}-{seed}")
        for m in MUTATIONS
        for seed in range(1, 11 if m is not _flipped else 101)
    ]
    return [*fast, *long]


@pytest.mark.parametrize(("mutate", "seed"), _cases())
async def test_a_damaged_state_is_never_silently_empty(
    family: Family, mutate: Mutation, seed: int
) -> None:
    """T26: found at start, set aside with its side files, a snapshot put back, photos untouched."""
    before = family.hashes()
    mutate(family.path, random.Random(seed))
    damaged = family.path.read_bytes() if family.path.exists() else None
    found = opening.make_ready(family.path, AT, shutil.move, was_closed=False)
    async with open_database(family.path, SystemClock()) as db:
        count = await db.read(file_count)
        await db.write(settings.put, "works", True)
    assert family.hashes() == before
    if found.found is Found.RESTORED:
        assert count == IN_SNAPSHOT
        assert "snapshot of 2024-05-17" in found.reason
        if damaged is not None:
            assert found.aside is not None
            assert (found.aside / family.path.name).read_bytes() == damaged
    else:
        assert found.found in (Found.GOOD, Found.DOUBTFUL)
        assert count >= IN_SNAPSHOT
        assert found.needs_rescan or count == IN_SNAPSHOT + AFTER_SNAPSHOT


async def test_a_killed_state_comes_back_with_all_that_was_committed(family: Family) -> None:
    """Without damage, a power cut costs nothing and sets nothing aside."""
    found = opening.make_ready(family.path, AT, shutil.move, was_closed=False)
    assert (found.found, found.needs_rescan) == (Found.GOOD, False)
    async with open_database(family.path, SystemClock()) as db:
        assert await db.read(file_count) == IN_SNAPSHOT + AFTER_SNAPSHOT


async def test_the_harness_sees_a_state_that_is_silently_empty(family: Family) -> None:
    """T26: opening an emptied database without looking first gives the very fault we guard from."""
    _emptied(family.path, random.Random(0))
    _without_wal(family.path, random.Random(0))
    async with open_database(family.path, SystemClock()) as db:
        assert await db.read(file_count) == 0


@pytest.mark.parametrize("mutate", [_emptied, _truncated, _another_database, _overwritten])
async def test_without_a_good_snapshot_the_caller_is_told(family: Family, mutate: Mutation) -> None:
    """With nothing to restore the state begins anew, and says that the library must be read."""
    for snapshot in snapshots.listing(family.path):
        snapshot.path.write_bytes(b"rotten")
    mutate(family.path, random.Random(3))
    found = opening.make_ready(family.path, AT, shutil.move)
    assert found.found is Found.LOST
    assert found.needs_rescan
    assert "read again from the start" in found.reason
    async with open_database(family.path, SystemClock()) as db:
        assert await db.read(file_count) == 0


async def test_a_first_start_is_new_also_when_it_was_cut_short(path: Path) -> None:
    """No database, an empty one or one without a table is a first start, nothing is set aside."""
    path.parent.mkdir()
    assert opening.make_ready(path, AT, shutil.move).found is Found.NEW
    path.touch()
    assert opening.make_ready(path, AT, shutil.move).found is Found.NEW
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA journal_mode = WAL")
    assert opening.make_ready(path, AT, shutil.move).found is Found.NEW
    assert not list(path.parent.glob("damaged-*"))


async def test_a_log_without_its_database_is_not_applied_to_a_new_one(family: Family) -> None:
    """Only the log of a lost database is left, and no snapshot: it is kept, and kept apart."""
    shutil.rmtree(family.path.parent / "snapshots")
    family.path.unlink()
    found = opening.make_ready(family.path, AT, shutil.move)
    assert found.found is Found.NEW
    assert found.needs_rescan
    assert found.aside is not None
    assert (found.aside / f"{family.path.name}-wal").stat().st_size > 0
    async with open_database(family.path, SystemClock()) as db:
        assert await db.read(file_count) == 0


async def test_a_crash_in_the_middle_of_a_restore_is_finished(family: Family) -> None:
    """At whichever move of a restore the process dies, the next start restores."""
    for moves in range(4):
        home = family.path.parent.parent / f"try{moves}"
        shutil.copytree(family.path.parent, home)
        path = home / family.path.name
        path.write_bytes(path.read_bytes()[:5000])
        left = [moves]

        def dying(source: Path, target: Path, left: list[int] = left) -> None:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            shutil.move(source, target)

        with pytest.raises(KeyboardInterrupt):
            opening.make_ready(path, AT, dying)
        assert opening.make_ready(path, AT, shutil.move).found is Found.RESTORED
        async with open_database(path, SystemClock()) as db:
            assert await db.read(file_count) == IN_SNAPSHOT


async def test_damage_met_while_running_is_broken(family: Family) -> None:
    """Damage that shows only later raises Broken with the way out, not sqlite3's error."""
    async with open_database(family.path, SystemClock()):
        pass  # merges the log
    data = bytearray(family.path.read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 16] = b"\xff" * 16
    family.path.write_bytes(data)
    with pytest.raises(Broken, match="damaged"):
        async with open_database(family.path, SystemClock()) as db:
            await db.read(file_count)


async def test_the_weekly_check_sees_what_the_quick_one_does_not(path: Path) -> None:
    """`integrity_faults` compares indexes with rows and follows references."""
    async with open_database(path, SystemClock()) as db:
        await db.write(add_household)
        await db.write(add_files, ["a", "b"])
        assert await db.read(damage.integrity_faults) == []
        assert await db.read(events.latest_seq) == 0
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("DELETE FROM users")
        con.execute("PRAGMA writable_schema = ON")
        con.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'size)', 'inode)') WHERE name = ?",
            ("media_files_size",),
        )
    async with open_database(path, SystemClock()) as db:
        faults = await db.read(damage.integrity_faults)
    assert any("index" in fault for fault in faults)
    assert any("missing row of users" in fault for fault in faults)
