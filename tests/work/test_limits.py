"""What a confined process may open: its folders, the devices it was given, and nothing more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.work.workers import limits

ROOT = Path(__file__).resolve().parents[2]

_TRY = """
import json, os, resource, sys
from pathlib import Path
from pipeline.work.workers import limits
work, given, *asked = sys.argv[1:]
devices = [Path(given)] if given else []
in_force = limits.confine(limits.Limits(memory=1 << 30), [Path(work)], devices)
told = {"landlock": in_force["landlock"]}
for name in asked:
    try:
        os.close(os.open(name, os.O_RDWR))
        told[name] = True
    except PermissionError:
        told[name] = False
told["space"] = resource.getrlimit(resource.RLIMIT_AS)
told["data"] = resource.getrlimit(resource.RLIMIT_DATA)
print(json.dumps(told))
"""


def confined(work: Path, given: str, *asked: str) -> dict[str, Any]:
    """What a process that was given a device could open for writing."""
    command = [sys.executable, "-c", _TRY, str(work), given, *asked]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    if not told["landlock"]:
        pytest.skip("this kernel has no Landlock")
    return told


def test_a_device_that_was_given_and_no_other(tmp_path: Path) -> None:
    """/dev/zero stands for a graphics card: it opens, its neighbours and files do not."""
    other = tmp_path / "library.txt"
    other.touch()
    work = tmp_path / "work"
    work.mkdir()
    told = confined(work, "/dev/zero", "/dev/zero", "/dev/full", str(other))
    assert told["/dev/zero"]
    assert not told["/dev/full"]
    assert not told[str(other)]
    shut = confined(work, "", "/dev/zero")
    assert not shut["/dev/zero"]


def test_only_graphics_devices_are_given(tmp_path: Path) -> None:
    """Render nodes and the card's own devices; no screen, no file of that name, no link."""
    (tmp_path / "dri").mkdir()
    for name in ("nvidia0", "dri/renderD128"):
        (tmp_path / name).write_text("a file is no device")
    (tmp_path / "nvidiactl").symlink_to("/dev/zero")
    assert limits.graphics_devices(tmp_path) == []
    if os.geteuid():
        return
    made = [tmp_path / "dri/renderD129", tmp_path / "nvidia1", tmp_path / "nvidia-uvm"]
    for path in (*made, tmp_path / "dri/card0", tmp_path / "nvidia-modeset"):
        try:
            os.mknod(path, 0o020600, os.makedev(1, 5))
        except OSError:
            pytest.skip("devices cannot be made here")
    assert limits.graphics_devices(tmp_path) == sorted(made)


_ROOMY = """
import os, resource, sys
from pathlib import Path
from pipeline.codecs import ffmpeg
from pipeline.work.workers import limits
limits._limit_resources(limits.Limits(memory=1 << 30), needs_space=sys.argv[2] == "nvidia")
ffmpeg.program = lambda: "/bin/sh"
ffmpeg._ALWAYS = ("-c", "ulimit -v > space.txt; ulimit -d > data.txt")
ffmpeg.run((), Path(sys.argv[1]), needs_space=sys.argv[3] == "roomy")
print(resource.getrlimit(resource.RLIMIT_AS)[0])
"""


@pytest.mark.parametrize(
    ("card", "asks", "is_roomy"),
    [("nvidia", "roomy", True), ("nvidia", "plain", False), ("none", "roomy", False)],
)
def test_space_is_for_drivers_and_memory_stays_bounded(
    tmp_path: Path, card: str, asks: str, is_roomy: bool
) -> None:
    """Only FFmpeg with a card's driver may reserve more than a worker may use; none may use it."""
    command = [sys.executable, "-c", _ROOMY, str(tmp_path), card, asks]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    memory = 1 << 20  # in the shell's kB
    assert int(ran.stdout) == memory << 10, "the worker's own limit moved"
    space = (tmp_path / "space.txt").read_text().strip()
    assert (space == "unlimited" or int(space) > memory) == is_roomy
    if card == "nvidia":
        assert int((tmp_path / "data.txt").read_text()) == memory
