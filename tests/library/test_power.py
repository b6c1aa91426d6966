"""T02: the power fails at any moment of placing, and every photo is whole and accounted for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipeline.model import Home
from tests.kit import power
from tests.kit.invariants import violations
from tests.kit.kill import Killer
from tests.library.crashing import prepare

pytestmark = [pytest.mark.root, pytest.mark.timeout(180)]
FILES = 120
_why_not = cache(power.why_not)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Path]:
    """A folder on a real disk, or a skip that says why."""
    reason = _why_not()
    if reason:
        pytest.skip(reason)
    yield tmp_path


def _filled_disk(bench: Path) -> tuple[Path, dict[str, str]]:
    """A disk with a home whose inbox is full, safely written."""
    disk = power.make_disk(bench / "first.img", mib=48)
    with power.mounted(disk, bench / "disk") as at:
        given = prepare(at / "home", FILES)
    return disk, given


def _cut(
    bench: Path, first: Path, work: Killer, *, freeze_at: int = 0, skip: tuple[str, ...] = ()
) -> Path:
    """Run `work` on a fresh copy of the disk until it is frozen or over, then cut the power."""
    running = power.copy_disk(first, bench / "running.img")
    with power.mounted(running, bench / "disk") as at:
        is_frozen = work.run(at / "home", freeze_at=freeze_at, skip=skip)
        after = power.copy_disk(running, bench / "after.img")
        if is_frozen:
            work.finish_off()
    power.repair(after)
    return after


def _wrong(bench: Path, after: Path, given: dict[str, str], settler: Killer | None) -> list[str]:
    """What is wrong on the disk as it came back, and after Darkroom has started on it."""
    with power.mounted(after, bench / "disk") as at:
        home = Home.at(at / "home")
        wrong = violations(home, given, sources=[home.inbox], settled=False)
        if settler is not None:
            settler.run(home.path)
            wrong += violations(home, given, sources=[home.inbox], settled=True)
    return wrong


def _cuts(bench: Path, count: int, seed: int) -> None:
    dice = random.Random(seed)
    first, given = _filled_disk(bench)
    with (
        Killer("tests.library.crashing:place") as work,
        Killer("tests.library.crashing:settle") as settler,
    ):
        for _ in range(count):
            after = _cut(bench, first, work, freeze_at=dice.randint(1, FILES * 45))
            assert _wrong(bench, after, given, settler) == []


def test_power_cuts_lose_nothing(bench: Path) -> None:
    """T02: six cuts at random operations; nothing lost or torn, every row true after the start."""
    _cuts(bench, 6, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_forty_power_cuts_lose_nothing(bench: Path) -> None:
    """T02 in full: forty cuts."""
    _cuts(bench, 40, seed=2)


def test_the_harness_catches_dropped_syncs(bench: Path) -> None:
    """A seeded fault: when fsync only seems to happen, a cut right after the work loses files."""
    first, given = _filled_disk(bench)
    with Killer("tests.library.crashing:place") as work:
        after = _cut(bench, first, work, skip=("fsync",))
    wrong = _wrong(bench, after, given, None)
    assert any(one.startswith("lost") for one in wrong)


def test_the_harness_catches_a_plain_copy(bench: Path) -> None:
    """A seeded fault: unsynced copies and sources removed before the commit lose files."""
    first, given = _filled_disk(bench)
    with Killer("tests.library.crashing:place_wrongly") as work:
        after = _cut(bench, first, work)
    wrong = _wrong(bench, after, given, None)
    assert any(one.startswith("lost") for one in wrong)
