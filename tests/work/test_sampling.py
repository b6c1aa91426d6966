"""Samples of the machine and the work."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from pipeline.state import metrics
from pipeline.state.connection import open_database
from pipeline.state.metrics import Sample
from pipeline.work import meter, resources, sampling
from pipeline.work.alongside import alongside
from pipeline.work.condensed import Condensed
from pipeline.work.meter import Meter
from pipeline.work.sampling import Machine, Sampler
from tests.kit.clock import FakeClock
from tests.kit.spans import span

IDLE = Machine(100.0, 5.0, 2.0, 1 << 30, 4 << 30, 1 << 28, {"/x": (10, 100)})


async def test_samples_are_taken_every_ten_seconds_and_written_every_minute(tmp_path: Path) -> None:
    """An hour leaves 360 samples and twelve coarse ones, from 60 commits."""
    clock, work = FakeClock(), Meter()
    async with open_database(tmp_path / "state" / "darkroom.sqlite", clock) as db:
        sampler = Sampler(db, clock, work, lambda: IDLE)
        async with alongside(sampler.run(), "sampler"):
            for _ in range(366):
                await _until(lambda: clock.sleeping > 0)
                work.note(span())
                await clock.advance(10)
            await _until(lambda: clock.sleeping > 0)
        fine = await db.read(metrics.between, 10, 0, 1 << 40)
        coarse = await db.read(metrics.between, 300, 0, 1 << 40)
    assert 355 <= len(fine) <= 366
    assert len({sample.at for sample in fine}) == len(fine)
    assert {sample.at % 10 for sample in fine} == {0}
    assert 11 <= len(coarse) <= 12
    assert sum(sample.readings["files"] for sample in fine) <= work.files
    assert fine[-1].readings["stages"]["hash"][0] == 1


def test_rates_are_within_what_the_container_may_use() -> None:
    """With one and a half cores allowed, one and a half busy are 100 %."""
    before = (0.0, replace(IDLE, cores=1.5), Meter())
    after = (10.0, replace(IDLE, cores=1.5, busy_s=115.0, own_busy_s=12.5), Meter())
    told = sampling.readings(before, after)
    assert told["cpu"] == 100.0
    assert told["own_cpu"] == 50.0


def test_a_clock_that_stands_still_divides_nothing_by_zero() -> None:
    """The first sample has nothing before it."""
    reading = (0.0, IDLE, Meter())
    assert sampling.readings(reading, reading)["cpu"] == 0.0


def test_limits_of_a_container_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU, its use and memory are those of the cgroup, not of the host."""
    (tmp_path / "cgroup").write_text("0::/box\n")
    box = tmp_path / "box"
    box.mkdir()
    (box / "cpu.max").write_text("50000 100000")
    (box / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (box / "memory.max").write_text(str(512 << 20))
    (box / "memory.current").write_text(str(128 << 20))
    monkeypatch.setattr(resources, "CGROUP", tmp_path)
    monkeypatch.setattr(resources, "OWN_CGROUP", tmp_path / "cgroup")
    machine = sampling.read_machine([tmp_path], [])
    assert machine.cores == 0.5
    assert machine.busy_s == 2.5
    assert machine.memory_total == 512 << 20
    assert machine.memory_used >= 128 << 20
    assert len(machine.disks) == 1


def test_the_real_machine_answers(tmp_path: Path) -> None:
    """Plausible numbers, and a child that is gone is passed over."""
    machine = sampling.read_machine([tmp_path, tmp_path.parent], [os.getpid(), 1 << 22])
    assert 0 < machine.cores <= (os.cpu_count() or 1)
    assert 0 < machine.own_memory < machine.memory_total
    assert machine.busy_s > 0


def test_medians_survive_being_added_up() -> None:
    """Sizes are a fifth apart: a quantile is right to a tenth."""
    work = Meter()
    for wall in (10, 10, 10, 100, 1000):
        work.note(span(stages=(replace(span().stages[0], wall_ms=wall),)))
    sizes = work.stages["hash"].sizes
    assert meter.quantile(sizes, 0.5) == pytest.approx(10, rel=0.1)
    assert meter.quantile(sizes, 0.95) == pytest.approx(1000, rel=0.1)
    assert meter.quantile({}, 0.5) is None


async def _until(is_so: object) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # type: ignore[operator]
            await asyncio.sleep(0)


async def test_a_day_is_merged_once_and_then_only_what_is_new(tmp_path: Path) -> None:
    """A graph over a day tells what merging everything anew would, and reads only the last step."""
    clock = FakeClock()
    async with open_database(tmp_path / "state" / "darkroom.sqlite", clock) as db:
        recent: list[Sample] = []
        day = Condensed(db, recent)
        written = [Sample(10, at, {"cpu": float(at % 70), "files": 1}) for at in range(0, 900, 10)]
        await db.write(metrics.add, written)
        assert await day.between(5, 900, 120) == tuple(metrics.merged(written, 120))
        recent += [Sample(10, at, {"cpu": 1.0, "files": 1}) for at in range(890, 1000, 10)]
        later = [one for one in (*written, *recent[1:]) if one.at >= 120]
        with reading() as asked:
            assert await day.between(130, 1000, 120) == tuple(metrics.merged(later, 120))
        assert asked == [(840, 1000)]


async def test_a_clock_that_was_set_back_shows_nothing_from_the_future(tmp_path: Path) -> None:
    """What was kept is merged anew when it is later than now."""
    async with open_database(tmp_path / "state" / "darkroom.sqlite", FakeClock()) as db:
        written = [Sample(10, at, {"files": 1}) for at in range(0, 900, 10)]
        await db.write(metrics.add, written)
        day = Condensed(db, ())
        await day.between(0, 900, 60)
        assert await day.between(0, 300, 60) == tuple(metrics.merged(written[:30], 60))


@contextmanager
def reading() -> Iterator[list[tuple[int, int]]]:
    """Which periods are asked of the state meanwhile."""
    asked: list[tuple[int, int]] = []
    real = metrics.between

    def noted(con: sqlite3.Connection, every_s: int, since: int, until: int) -> list[Sample]:
        asked.append((since, until))
        return real(con, every_s, since, until)

    with mock.patch.object(metrics, "between", noted):
        yield asked
