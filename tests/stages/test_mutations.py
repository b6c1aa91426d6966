"""Spoilt files of every format, through a real worker: each ends with a sentence or a picture."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from pipeline.errors import BadMedia
from pipeline.model import Done, Later, Reject, Skip
from pipeline.work.workers.contract import WorkerKilled
from pipeline.work.workers.local import LocalSettings, LocalWorkers, open_workers
from tests.kit import media
from tests.kit.visits import all_stages, request

SPOILT = (
    "photo.jpg",
    "progressive.jpg",
    "picture.png",
    "picture.webp",
    "moving.gif",
    "scan.tif",
    "phone.heic",
    "picture.avif",
    "camera.dng",
    "film.mp4",
    "film.mov",
)
MIB = 1 << 20


@pytest.mark.timeout(300)
async def test_500_spoilt_files_end_well(tmp_path: Path) -> None:
    """No hang, no crash of the core, no growth; every file ends done or rejected (T49)."""
    await _visit_all(tmp_path, 500)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_10_000_spoilt_files_end_well(tmp_path: Path) -> None:
    """The same, twenty times as many (T49)."""
    await _visit_all(tmp_path, 10_000)


async def _visit_all(folder: Path, count: int) -> None:
    settings = LocalSettings(slots=1, timeout_s=30)
    core = psutil.Process()
    ended = killed = 0
    seeds = {name: media.SEEDS[name]() for name in SPOILT}  # encoders keep memory for themselves
    async with open_workers(settings, folder / "work") as workers:
        before = core.memory_info().rss
        for number, (name, data) in enumerate(_spoilt(seeds, count)):
            path = folder / f"{number}-{name}"
            path.write_bytes(data)
            killed += await _visit(workers, path)
            ended += 1
            path.unlink()
        assert core.memory_info().rss - before <= 20 * MIB
    assert ended == count
    assert killed <= count // 100, "a decoder that dies this often needs another look"


async def _visit(workers: LocalWorkers, path: Path) -> bool:
    """True when the file cost its worker: that is what workers are for, but it must be rare."""
    try:
        reply = await workers.visit(request(path, STAGES))
    except (BadMedia, WorkerKilled):
        return True
    for name, outcome in reply.outcomes.items():
        assert isinstance(outcome, Done | Skip | Reject), (path.name, name, outcome)
        assert not isinstance(outcome, Later)
    assert not isinstance(reply.outcomes["hash"], Skip), path.name
    await workers.release(reply)
    return False


def _spoilt(seeds: Mapping[str, bytes], count: int) -> Iterator[tuple[str, bytes]]:
    rng = random.Random(49)
    share = -(-count // len(seeds))
    made = 0
    for name, seed in seeds.items():
        for data in media.mutations(seed, rng, min(share, count - made)):
            made += 1
            yield name, data


STAGES = {name: stage for name, stage in all_stages().items() if name != "clip"}
