"""Power cuts: work runs on a loop-mounted ext4, is frozen, and the disk is copied as it stands.

The copy is what a disk without power would hold: only what ext4 had written. It is repaired as a
start would repair it (journal replay by e2fsck) and mounted for a look. Needs root, loop devices
and e2fsprogs. ext4 commits by itself only every five minutes here, so nothing is written by luck.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PROGRAMS = ("mkfs.ext4", "e2fsck", "mount", "umount", "losetup")


def why_not() -> str | None:
    """Why power cannot be cut here; None if it can."""
    if os.geteuid() != 0:
        return "cutting the power needs root"
    absent = [name for name in _PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"cutting the power needs {', '.join(absent)}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            disk = make_disk(Path(folder) / "try.img", mib=4)
            with mounted(disk, Path(folder) / "mount"):
                return None
    except subprocess.CalledProcessError as error:
        return f"no loop-mounted ext4 here: {error.stderr.strip()}"


def make_disk(image: Path, *, mib: int) -> Path:
    """An empty ext4 file system in a file."""
    with image.open("wb") as file:
        file.truncate(mib << 20)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0", str(image))
    return image


@contextlib.contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    """The disk, mounted at `at`."""
    at.mkdir(exist_ok=True)
    _run("mount", "-o", "loop,commit=300,noatime", str(image), str(at))
    try:
        yield at
    finally:
        _run("umount", "-l", str(at))


def copy_disk(image: Path, to: Path) -> Path:
    """The disk as it stands now, even while it is mounted."""
    _run("cp", "--sparse=always", str(image), str(to))
    return to


def repair(image: Path) -> None:
    """Replay the journal, as the next start does. Raises AssertionError on real damage."""
    done = subprocess.run(
        ["e2fsck", "-fy", str(image)], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), f"e2fsck: {done.stdout}"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
