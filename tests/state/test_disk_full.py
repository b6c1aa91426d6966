"""The disk of the state folder runs full."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import StorageFull
from pipeline.state import damage, settings, snapshots
from pipeline.state.connection import open_database

pytestmark = pytest.mark.root


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    if os.geteuid() != 0:
        pytest.skip("T10 NOT RUN: mounting a small disk needs root")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "darkroom-test", place]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"T10 NOT RUN: this machine does not let us mount: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


async def test_a_full_state_disk_only_makes_writes_wait(small_disk: Path) -> None:
    """T10: full disk: reads go on, writes say StorageFull, nothing breaks, room mends it."""
    path = small_disk / "state" / "darkroom.sqlite"
    filler = small_disk / "filler"
    filler.write_bytes(bytes(5 << 20))
    async with open_database(path, SystemClock()) as db:
        kept = 0
        with pytest.raises(StorageFull):
            while True:
                await db.write(settings.put, f"k{kept}", "x" * 50_000)
                kept += 1
        assert kept > 5
        assert await db.read(settings.get, f"k{kept - 1}") == "x" * 50_000
        assert await db.read(settings.get, f"k{kept}") is None
        with pytest.raises(StorageFull):
            await db.write(settings.put, "again", "y" * 50_000)
        with pytest.raises(StorageFull):
            snapshots.take(path, SystemClock().now(), "by-hand")
        assert snapshots.listing(path) == []
        assert sum(p.stat().st_size for p in (path.parent / "snapshots").iterdir()) == 0
        assert await db.read(damage.integrity_faults) == []
        filler.unlink()
        await db.write(settings.put, "again", "y" * 50_000)
        assert await db.read(_count) == kept + 1
    assert damage.examine(path) is None


def _count(con: sqlite3.Connection) -> int:
    return int(con.execute("SELECT count(*) FROM settings").fetchone()[0])
