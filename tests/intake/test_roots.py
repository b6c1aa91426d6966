"""Roots: an absent, empty or wrong disk is late, never a loss; foreign folders stay untouched."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.clock import timestamp
from pipeline.errors import Invalid, StorageOffline
from pipeline.intake import admit, markers, roots, stock
from pipeline.intake.ignore import MARKER
from pipeline.intake.roots import Asking, Offline, Online, Wanted
from pipeline.intake.stock import Limits
from pipeline.intake.sweep import sweep_once
from pipeline.model import Root, RootKind, Take
from pipeline.state.connection import Database
from tests.intake.conftest import OWNER, Make, rows
from tests.kit.clock import FakeClock


def place(con: sqlite3.Connection, root: Root, names: list[str], at: str) -> None:
    """Rows as placing would leave them: done, in the library, under their names."""
    for name in names:
        con.execute(
            "INSERT INTO media_files (id, owner_id, root_id, source_path, source_dir, bucket, take,"
            " size, mtime_ns, inode, state, path, found_at, updated_at)"
            " VALUES (?, ?, ?, ?, x'', '', 'copy', 1, 1, 1, 'done', ?, ?, ?)",
            (name, OWNER, root.id, name.encode(), name, at, at),
        )


async def library_of(
    path: Path, count: int, db: Database, clock: FakeClock, make_root: Make
) -> Root:
    """A library with `count` files, on disk and in the state."""
    root = await make_root(path, RootKind.LIBRARY, Take.INDEX)
    names = [f"{number:05}.jpg" for number in range(count)]
    for name in names:
        (path / name).touch()
    await db.write(place, root, names, timestamp(clock.now()))
    return root


async def states(db: Database) -> dict[str, int]:
    """How many files are in which state."""
    found = await db.read(rows, "SELECT state, count(*) AS n FROM media_files GROUP BY state")
    return {row["state"]: row["n"] for row in found}


async def told(db: Database, name: str) -> int:
    """How many events of this name there are."""
    return len(await db.read(rows, "SELECT seq FROM events WHERE name = ?", name))


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder with a disk of its own mounted on it; needs root."""
    target = tmp_path / "disk"
    target.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(target)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    yield target
    subprocess.run(["umount", "-l", str(target)], capture_output=True, check=False)


# --- markers -----------------------------------------------------------------------------------


async def test_a_root_is_made_known_once(tmp_path: Path, make_root: Make) -> None:
    """Asking again gives the same root, and the marker is written once."""
    first = await make_root(tmp_path, RootKind.INBOX, Take.MOVE)
    text = (tmp_path / MARKER).read_text()
    second = await make_root(tmp_path / "." / "", RootKind.INBOX, Take.MOVE)
    assert second == first
    assert first.marker == markers.read(tmp_path)
    assert (tmp_path / MARKER).read_text() == text


async def test_a_foreign_root_is_never_written_to(tmp_path: Path, make_root: Make) -> None:
    """P3: no marker, no move, nothing."""
    (tmp_path / "a.jpg").touch()
    before = tmp_path.stat().st_mtime_ns
    root = await make_root(tmp_path)
    assert root.marker is None
    assert list(tmp_path.iterdir()) == [tmp_path / "a.jpg"]
    assert tmp_path.stat().st_mtime_ns == before
    with pytest.raises(Invalid, match="foreign"):
        await make_root(tmp_path, RootKind.FOREIGN, Take.MOVE)


async def test_a_foreign_root_becomes_managed_when_asked(tmp_path: Path, make_root: Make) -> None:
    """`--move` over a folder that was copied from before; and copying later takes nothing back."""
    foreign = await make_root(tmp_path)
    managed = await make_root(tmp_path, RootKind.MANAGED, Take.MOVE)
    assert managed.id == foreign.id
    assert (managed.kind, managed.take) == (RootKind.MANAGED, Take.MOVE)
    again = await make_root(tmp_path, RootKind.FOREIGN, Take.COPY)
    assert (again.kind, again.take, again.marker) == (
        RootKind.MANAGED,
        Take.COPY,
        managed.marker,
    )


async def test_a_moved_root_is_recognised_and_a_copy_is_refused(
    tmp_path: Path, make_root: Make
) -> None:
    """The marker tells a folder that moved from one that was copied."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    root = await make_root(one, RootKind.INBOX, Take.MOVE)
    shutil.copytree(one, other)
    with pytest.raises(Invalid, match="copy of"):
        await make_root(other, RootKind.INBOX, Take.MOVE)
    shutil.rmtree(one)
    moved = await make_root(other, RootKind.INBOX, Take.MOVE)
    assert (moved.id, moved.path) == (root.id, other)


async def test_our_own_folders_are_refused(tmp_path: Path, db: Database, clock: FakeClock) -> None:
    """The library is not taken in as if it were somebody's photos, not even through a link."""
    inside = tmp_path / "library" / "2024"
    inside.mkdir(parents=True)
    (tmp_path / "link").symlink_to(inside)
    for path in (inside, tmp_path / "link", tmp_path / "library"):
        wanted = Wanted(path, RootKind.FOREIGN, Take.COPY, OWNER)
        with pytest.raises(Invalid, match="part of Darkroom"):
            await roots.ensure(db, clock, wanted, own=[tmp_path / "library"])
    with pytest.raises(Invalid, match="not a folder"):
        await roots.ensure(
            db, clock, Wanted(tmp_path / "absent", RootKind.FOREIGN, Take.COPY, OWNER)
        )


def test_a_half_written_marker_is_made_whole(tmp_path: Path) -> None:
    """A power cut while the marker was written locks nobody out; a link in its place does."""
    (tmp_path / MARKER).write_bytes(b"abc")
    assert markers.read(tmp_path) is None
    marker = markers.write(tmp_path)
    assert markers.read(tmp_path) == marker
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / MARKER).symlink_to(tmp_path / MARKER)
    assert markers.read(tmp_path / "sub") is None
    with pytest.raises(OSError, match=r"symbolic link|Too many"):
        markers.write(tmp_path / "sub")


# --- disks that go and come --------------------------------------------------------------------


@pytest.mark.root
async def test_an_unmounted_library_is_offline(
    mounted: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T12: the disk with 10,000 files goes: nothing is missing, and it is back by itself."""
    root = await library_of(mounted, 10_000, db, clock, make_root)
    assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Online)
    aside = mounted.parent / "aside"
    aside.mkdir()
    subprocess.run(["mount", "--move", str(mounted), str(aside)], check=True)
    try:
        health = await stock.take_stock(db, clock, root.id, Limits())
        assert isinstance(health, Offline)
        assert "mounted" in health.reason
        with pytest.raises(StorageOffline):
            await roots.require_online(db, clock, root.id)
        assert list(mounted.iterdir()) == []
        assert await states(db) == {"done": 10_000}
    finally:
        subprocess.run(["mount", "--move", str(aside), str(mounted)], check=True)
    assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Online)
    assert (await roots.require_online(db, clock, root.id)).id == root.id
    assert await states(db) == {"done": 10_000}
    assert (await told(db, "root.offline"), await told(db, "root.online")) == (1, 1)


@pytest.mark.root
async def test_a_wrong_disk_is_offline(
    mounted: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T12: another disk over the root, marked or not, is not the root; nothing is written to it."""
    root = await library_of(mounted, 100, db, clock, make_root)
    cover = ["mount", "-t", "tmpfs", "none", str(mounted)]
    subprocess.run(cover, check=True)
    try:
        (mounted / "strange.jpg").touch()
        unmarked = await stock.take_stock(db, clock, root.id, Limits())
        (mounted / MARKER).write_text("0" * 32 + "\n")
        wrong = await stock.take_stock(db, clock, root.id, Limits())
        assert {path.name for path in mounted.iterdir()} == {MARKER, "strange.jpg"}
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
    assert isinstance(unmarked, Offline)
    assert isinstance(wrong, Offline)
    assert wrong.reason != unmarked.reason
    assert await states(db) == {"done": 100}


@pytest.mark.root
async def test_a_foreign_disk_is_known_by_its_files(
    mounted: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """A card reader with no card, or with another card, is not the card that was there."""
    (mounted / "a.jpg").write_bytes(b"x")
    root = await make_root(mounted)
    await sweep_once(db, clock, admit.Request(root, "test"))
    assert isinstance(await roots.check(db, clock, root.id), Online)
    subprocess.run(["mount", "-t", "tmpfs", "none", str(mounted)], check=True)
    try:
        empty = await roots.check(db, clock, root.id)
        (mounted / "other.jpg").touch()
        other = await roots.check(db, clock, root.id)
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
    assert isinstance(empty, Offline)
    assert isinstance(other, Offline)
    assert isinstance(await roots.check(db, clock, root.id), Online)


@pytest.mark.parametrize("harm", ["absent", "empty", "unmarked", "wrong", "file"])
async def test_every_kind_of_wrong_folder_is_offline(
    harm: str, tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T12 without mounting: absent, empty, unmarked, another's marker, no folder at all."""
    top = tmp_path / "library"
    top.mkdir()
    root = await library_of(top, 50, db, clock, make_root)
    top.rename(tmp_path / "aside")
    if harm == "file":
        top.touch()
    elif harm != "absent":
        top.mkdir()
    if harm in ("unmarked", "wrong"):
        (top / "x.jpg").touch()
    if harm == "wrong":
        (top / MARKER).write_text("0" * 32 + "\n")
    assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Offline)
    with pytest.raises(StorageOffline):
        await roots.confirm(db, clock, root.id, actor="person")
    assert await states(db) == {"done": 50}


# --- mass disappearance ------------------------------------------------------------------------


async def test_six_percent_vanished_asks(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T13: the scan stops and asks; nothing changes until confirmed; then they are missing."""
    root = await library_of(tmp_path, 100, db, clock, make_root)
    for number in range(6):
        (tmp_path / f"{number:05}.jpg").unlink()
    for _ in range(2):
        assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Asking)
        assert isinstance(await roots.check(db, clock, root.id), Asking)
    assert await states(db) == {"done": 100}
    assert await told(db, "root.asking") == 1
    assert await roots.confirm(db, clock, root.id, actor="person") == 6
    assert await states(db) == {"done": 94, "missing": 6}
    assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Online)
    assert await told(db, "file.missing") == 6


async def test_more_than_a_hundred_asks_even_of_many(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T13: 101 of 3,000 is under 5 % and still too many; 100 is believed."""
    root = await library_of(tmp_path, 3000, db, clock, make_root)
    for number in range(101):
        (tmp_path / f"{number:05}.jpg").unlink()
    assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Asking)
    (tmp_path / "00000.jpg").touch()
    assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Online)
    assert await states(db) == {"done": 2900, "missing": 100}


async def test_what_comes_back_is_no_longer_missing(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """Missing is a state, not a verdict: a file that is back is back by itself."""
    root = await library_of(tmp_path, 100, db, clock, make_root)
    (tmp_path / "00000.jpg").rename(tmp_path / "aside")
    await stock.take_stock(db, clock, root.id, Limits())
    assert await states(db) == {"done": 99, "missing": 1}
    (tmp_path / "aside").rename(tmp_path / "00000.jpg")
    await stock.take_stock(db, clock, root.id, Limits())
    assert await states(db) == {"done": 100}
    assert await told(db, "file.returned") == 1


async def test_a_question_ends_when_the_files_are_back(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """Nobody has to confirm what mended itself."""
    root = await library_of(tmp_path, 20, db, clock, make_root)
    (tmp_path / "00000.jpg").rename(tmp_path / "aside1")
    (tmp_path / "00001.jpg").rename(tmp_path / "aside2")
    assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Asking)
    (tmp_path / "aside1").rename(tmp_path / "00000.jpg")
    (tmp_path / "aside2").rename(tmp_path / "00001.jpg")
    assert isinstance(await stock.take_stock(db, clock, root.id, Limits()), Online)
    assert isinstance(await roots.check(db, clock, root.id), Online)
