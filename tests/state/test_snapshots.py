"""Snapshots: taken, sealed, thinned out, put back."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import SystemClock
from pipeline.events import FileReleased
from pipeline.state import events, settings, snapshots
from pipeline.state.connection import Database, open_database
from pipeline.state.snapshots import Snapshot
from tests.kit.state import AT as STAMP

AT = datetime(2024, 5, 17, 3, 0, tzinfo=UTC)


def _nightly(path: Path, nights: int) -> None:
    first = snapshots.take(path, AT, "nightly")
    for night in range(1, nights):
        at = AT - timedelta(days=night)
        copy = first.path.with_name(f"{at:%Y%m%dT%H%M%SZ}-nightly.sqlite")
        shutil.copyfile(first.path, copy)
        shutil.copyfile(f"{first.path}.sha256", f"{copy}.sha256")


async def test_a_snapshot_of_a_busy_state_is_whole(db: Database, path: Path) -> None:
    """A snapshot taken while the state is open holds what was committed, and passes its checks."""
    await db.write(settings.put, "a", 1)
    taken = snapshots.take(path, AT, "by-hand")
    await db.write(settings.put, "b", 2)
    assert snapshots.listing(path) == [taken]
    assert (taken.label, taken.at, taken.bytes > 0) == ("by-hand", AT, True)
    assert snapshots.is_good(taken)
    with contextlib.closing(sqlite3.connect(taken.path)) as con:
        assert settings.get(con, "a") == 1
        assert settings.get(con, "b") is None
    assert taken.path.stat().st_mode & 0o077 == 0


async def test_two_snapshots_in_one_second_both_stay(db: Database, path: Path) -> None:
    """A name is never used twice."""
    assert snapshots.take(path, AT, "by-hand") != snapshots.take(path, AT, "by-hand")
    assert len(snapshots.listing(path)) == 2


async def test_without_its_seal_it_does_not_count(db: Database, path: Path) -> None:
    """What a crash left before the seal was written is not listed, and is removed."""
    taken = snapshots.take(path, AT, "by-hand")
    Path(f"{taken.path}.sha256").unlink()
    assert snapshots.listing(path) == []
    snapshots.thin_out(path, Path.unlink)
    assert not taken.path.exists()


async def test_one_flipped_bit_makes_a_snapshot_bad(db: Database, path: Path) -> None:
    """Rot that SQLite itself would not notice is seen by the seal."""
    await db.write(settings.put, "a", "a long text to rot in")
    taken = snapshots.take(path, AT, "by-hand")
    data = bytearray(taken.path.read_bytes())
    data[data.index(b"long text")] ^= 1
    taken.path.write_bytes(data)
    assert not snapshots.is_good(taken)


async def test_seven_days_and_four_weeks_are_kept(db: Database, path: Path) -> None:
    """Of 40 nights the last 7 stay and the newest of each of 4 weeks; nothing else is removed."""
    _nightly(path, 40)
    beside = path.with_name("snapshots") / "notes.txt"
    beside.write_text("mine")
    gone = snapshots.thin_out(path, Path.unlink)
    kept = snapshots.listing(path)
    assert [(AT - found.at).days for found in kept] == [0, 1, 2, 3, 4, 5, 6, 12, 19]
    assert len(gone) == 31
    assert beside.exists()
    assert snapshots.thin_out(path, Path.unlink) == []


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2025, 1, 1)), max_size=60, unique=True))
def test_thinning_out_keeps_the_newest_and_is_stable(times: list[datetime]) -> None:
    """Whatever the clock did, the newest stays, at most 11 do, and a second look removes none."""
    known = [Snapshot(Path(str(t)), t.replace(tzinfo=UTC), "x", 1) for t in times]
    known.sort(key=lambda found: found.at, reverse=True)
    kept = [found for found in known if found in snapshots._kept(known)]
    assert kept[:1] == known[:1]
    assert len(kept) <= snapshots.DAYS + snapshots.WEEKS
    assert [found for found in kept if found in snapshots._kept(kept)] == kept


async def test_no_event_number_is_used_again_after_a_restore(path: Path) -> None:
    """Receivers that saw events after the snapshot never meet their numbers again."""

    def tell(con: sqlite3.Connection) -> None:
        events.append(con, FileReleased("f"), actor="t", at=STAMP)

    async with open_database(path, SystemClock()) as db:
        await db.write(tell)
        snapshots.take(path, AT, "nightly")
        for _ in range(5):
            await db.write(tell)
    snapshots.set_aside(path, AT, shutil.move)
    assert snapshots.restore_newest_good(path, shutil.move) is not None
    async with open_database(path, SystemClock()) as db:
        await db.write(tell)
        seen = [event.seq for event in await db.read(events.read_after, 0)]
    assert seen == [1, 1_000_002]


async def test_an_older_snapshot_serves_when_the_newest_is_bad(path: Path) -> None:
    """Restoring passes over what is rotten and takes the newest that is whole."""
    async with open_database(path, SystemClock()) as db:
        for age, value in ((2, "older"), (1, "newer"), (0, "newest")):
            await db.write(settings.put, "a", value)
            snapshots.take(path, AT - timedelta(days=age), "nightly")
    newest = snapshots.listing(path)[0].path
    newest.write_bytes(newest.read_bytes()[:-100])
    snapshots.set_aside(path, AT, shutil.move)
    assert snapshots.restore_newest_good(path, shutil.move) is not None
    async with open_database(path, SystemClock()) as db:
        assert await db.read(settings.get, "a") == "newer"
