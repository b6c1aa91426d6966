"""A fresh small Darkroom per test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pipeline.library import recover
from tests.library.world import World, make_home, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An empty home with an inbox that is moved from, settled as at a start."""
    async with open_world(make_home(tmp_path / "home")) as world:
        await recover.settle(world.db, world.clock, world.home)
        yield world


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB, more than half of it taken by a ballast."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    (disk / ".darkroom-ballast").write_bytes(bytes(6 << 20))
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)
