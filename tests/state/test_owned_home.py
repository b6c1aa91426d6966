"""One process owns a home, and the state lies on a disk of this machine."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from pipeline.clock import SystemClock
from pipeline.errors import Busy, Invalid
from pipeline.state import disk, health, lock, migrate
from pipeline.state.connection import Database, open_database

HOLD = """
import sys, pathlib
from pipeline.state import lock
with lock.owned(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""

_Disk = namedtuple("_Disk", "device mountpoint fstype opts")


def _holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    """The home of a running Darkroom is Busy and names its process."""
    with _holder(tmp_path / "lock") as holder:
        with (
            pytest.raises(Busy, match=f"process {holder.pid}"),
            lock.owned(tmp_path / "lock"),
        ):
            pass
        holder.communicate("go\n")
    with lock.owned(tmp_path / "lock") as was_closed:
        assert was_closed


def test_a_killed_owner_leaves_no_lock_but_a_sign(tmp_path: Path) -> None:
    """After kill -9 the home is free at once, and the next owner knows it was not closed."""
    with _holder(tmp_path / "lock") as holder:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with lock.owned(tmp_path / "lock") as was_closed:
        assert not was_closed
    with lock.owned(tmp_path / "lock") as was_closed:
        assert was_closed


def test_an_exception_is_an_orderly_end(tmp_path: Path) -> None:
    """A command that fails has still closed the state."""
    with pytest.raises(ValueError, match="x"), lock.owned(tmp_path / "lock"):
        raise ValueError("x")
    with lock.owned(tmp_path / "lock") as was_closed:
        assert was_closed


@pytest.mark.parametrize(
    ("fstype", "is_refused"),
    [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("9p", True), ("ext4", False)],
)
async def test_a_state_on_a_network_share_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fstype: str, is_refused: bool
) -> None:
    """SQLite is not safe on NFS, SMB or FUSE: opening says so and writes nothing."""
    disks = [
        _Disk("/dev/sda", "/", "ext4", ""),
        _Disk("auto", str(tmp_path / "share"), "autofs", ""),
        _Disk("nas:/x", str(tmp_path / "share"), fstype, ""),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: disks)
    path = tmp_path / "share" / "state" / "darkroom.sqlite"
    if is_refused:
        with pytest.raises(Invalid, match="network share"):
            async with open_database(path, SystemClock()):
                pass
        assert not path.exists()
    else:
        disk.refuse_network(path)


async def test_health_shows_the_sqlite_version(db: Database) -> None:
    """T27: version and journal mode are there to be shown."""
    seen = await db.read(health.look)
    assert seen.journal_mode == "wal"
    assert seen.schema_version == len(migrate.available())
    assert seen.bytes > 0


def test_the_wal_reset_bug_is_known_by_version() -> None:
    """T27: 3.7.0 to 3.51.2 have it, but for the lines it was mended in."""
    with_bug = [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 2)]
    without = [(3, 6, 23), (3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 52, 0)]
    assert all(health.wal_reset_bug(version) for version in with_bug)
    assert not any(health.wal_reset_bug(version) for version in without)
