"""`darkroom process` end to end: what state and file safety cost, and whether that stays flat.

Bars: the core process (state, flow, copying with fsync and read-back) takes at most 25 % of all
CPU on real photos; its CPU per file and its memory do not grow from 1,000 to 50,000 files
(memory at most 400 MB). `DARKROOM_BENCH_FILES` makes the long part shorter.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.corpus import camera_photos

SHARE_BAR = 0.25
MEMORY_BAR = 400e6
FLAT_BAR = 1.35  # CPU per file at the end against the first thousands; noise is about 15 %
STEP = 1000
SEEING = ("FACES", "OBJECTS", "FEATURES", "SCENE", "QUALITY", "KIND", "TEXT", "SENSITIVE")
BLIND = {f"DARKROOM_VISION__{name}": "false" for name in SEEING}  # seeing is no part of this
_DATE = re.compile(rb"\d{4}:\d\d:\d\d(?= \d\d:\d\d:\d\d)")


@dataclass(frozen=True)
class Run:
    """One `darkroom process`, measured from outside."""

    files: int
    core_cpu: float
    total_cpu: float
    peak_rss: int
    wall: float


def measure(home: Path, source: Path) -> Run:
    """Process `source` into `home` and watch the core process until it ends."""
    before = sum(os.times()[2:4])
    start = time.monotonic()
    command = [sys.executable, "-m", "bot", "--home", str(home), "process", str(source), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=_installed())
    core, peak = 0.0, 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            spent = watched.cpu_times()
            core, peak = spent.user + spent.system, max(peak, watched.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    out, _ = process.communicate()
    summary = json.loads(out)
    assert summary["failed"] == summary["rejected"] == 0, summary
    total = sum(os.times()[2:4]) - before
    return Run(summary["found"], core, total, peak, time.monotonic() - start)


def _installed() -> dict[str, str]:
    """The environment of a person's machine: what is compiled once is kept, and nothing is seen.

    Otherwise each of three processes compiles all of Darkroom again, half a second of CPU each.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | BLIND


def small_jpegs(count: int, first: int, folder: Path, *, scale: int = 8) -> None:
    """`count` pictures that do not look alike, 12 x 8 times `scale` pixels."""
    import numpy as np
    import simplejpeg

    folder.mkdir()
    for number in range(first, first + count):
        coarse = np.random.default_rng(number).integers(0, 255, (8, 12, 3), dtype=np.uint8)
        picture = np.ascontiguousarray(coarse.repeat(scale, axis=0).repeat(scale, axis=1))
        data = simplejpeg.encode_jpeg(picture, quality=80)
        (folder / f"IMG_{number:06d}.jpg").write_bytes(data)


def real_photos(numbers: range, folder: Path) -> None:
    """Other pictures out of real camera photos: for every number a part of each, taken another day.

    Copies of one picture would measure the search for look-alikes instead.
    """
    folder.mkdir()
    for path in camera_photos():
        data = path.read_bytes()
        for number in numbers:
            (folder / f"{path.stem}-{number}.jpg").write_bytes(another_picture(data, number))


def another_picture(data: bytes, number: int) -> bytes:
    """A quarter of the frame enlarged to the whole frame, with the camera's own metadata."""
    import cv2
    import numpy as np
    import simplejpeg

    picture = simplejpeg.decode_jpeg(data)
    height, width = picture.shape[:2]
    chance = np.random.default_rng(number)
    top, left = chance.integers(0, height // 2), chance.integers(0, width // 2)
    part = picture[top : top + height // 2, left : left + width // 2]
    enlarged = np.ascontiguousarray(cv2.resize(part, (width, height)))
    coded = simplejpeg.encode_jpeg(enlarged, quality=95)
    return coded[:2] + b"".join(_metadata(data, number)) + coded[2:]


def _metadata(data: bytes, number: int) -> list[bytes]:
    """The APP1 segments (ITU T.81, B.2.4.6), with every date moved to a day of its own."""
    found, at = [], 2
    while data[at : at + 1] == b"\xff" and data[at + 1] != 0xDA:
        size = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xE1:
            day = f"20{number % 90 + 10}:{number % 12 + 1:02d}:15".encode()
            found.append(_DATE.sub(day, data[at : at + size]))
        at += size
    return found


def share_of_safety(work: Path) -> bool:
    """The first bar: three runs over real photos, the median counts."""
    real_photos(range(16), work / "real")
    real_photos(range(16, 17), work / "warm")  # the table of places, once per home
    for n in range(3):
        measure(work / f"home-{n}", work / "warm")
    runs = [measure(work / f"home-{n}", work / "real") for n in range(3)]
    for run in runs:
        print(
            f"{run.files} photos: core {run.core_cpu:.2f} s of {run.total_cpu:.2f} s CPU "
            f"({run.core_cpu / run.total_cpu:.1%}), {run.wall:.1f} s wall"
        )
    share = sorted(run.core_cpu / run.total_cpu for run in runs)[1]
    print(f"state and safety: {share:.1%} of the CPU (bar {SHARE_BAR:.0%})")
    return share <= SHARE_BAR


def flat_cost(work: Path, files: int) -> bool:
    """The second bar: one home that grows, a thousand files at a time at the marks."""
    home, done = work / "growing", 0
    runs: list[tuple[int, Run]] = []
    fills: list[Run] = []
    for mark in (STEP, files // 5, files):
        fill = mark - STEP - done
        if fill > 0:
            small_jpegs(fill, done, work / f"fill-{done}")
            fills.append(measure(home, work / f"fill-{done}"))
            shutil.rmtree(work / f"fill-{done}")
            done += fill
        small_jpegs(STEP, done, work / f"step-{done}")
        runs.append((mark, measure(home, work / f"step-{done}")))
        done += STEP
    for mark, run in runs:
        print(
            f"at {mark:>6} files: core {1000 * run.core_cpu / run.files:.2f} ms a file, "
            f"{run.peak_rss / 1e6:.0f} MB"
        )
    growth = runs[-1][1].core_cpu / runs[0][1].core_cpu
    peak = max(run.peak_rss for run in [*fills, *(run for _, run in runs)])
    print(f"growth {growth:.2f} (bar {FLAT_BAR}), memory {peak / 1e6:.0f} MB (bar 400 MB)")
    return growth <= FLAT_BAR and peak <= MEMORY_BAR


def main() -> int:
    """Both bars."""
    files = int(os.environ.get("DARKROOM_BENCH_FILES", "50000"))
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix="out-") as folder:
        met = [share_of_safety(Path(folder)), flat_cost(Path(folder), files)]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
