"""Samples over time: fine ones for a day, coarse ones for a month."""

from __future__ import annotations

from pipeline.state import metrics
from pipeline.state.connection import Database
from pipeline.state.metrics import COARSE_S, FINE_S, KEEP_COARSE_S, KEEP_FINE_S, Sample

NOW = 1_700_000_100  # a multiple of 300


def _fine(count: int, **readings: object) -> list[Sample]:
    base = {"cpu": 10.0, "files": 2, "stages": {"hash": [1, 8, {"12": 1}]}}
    return [Sample(FINE_S, NOW + n * FINE_S, {**base, **readings}) for n in range(count)]


async def test_five_minutes_become_one_sample(db: Database) -> None:
    """Gauges are averaged, what was counted is added, durations keep their sizes."""
    await db.write(metrics.add, _fine(15) + _fine(30, cpu=30.0)[15:])
    assert await db.write(metrics.roll_up, NOW + COARSE_S) == 1
    (coarse,) = await db.read(metrics.between, COARSE_S, 0, NOW + COARSE_S)
    assert coarse.at == NOW
    assert coarse.readings["cpu"] == 20.0
    assert coarse.readings["files"] == 60
    assert coarse.readings["stages"] == {"hash": [30, 240, {"12": 30}]}


async def test_nothing_is_rolled_up_twice_or_too_early(db: Database) -> None:
    """Five minutes that are not over wait; a restart in between adds nothing again."""
    await db.write(metrics.add, _fine(40))
    assert await db.write(metrics.roll_up, NOW + 310) == 1
    assert await db.write(metrics.roll_up, NOW + 320) == 0
    assert await db.write(metrics.roll_up, NOW + 600) == 1
    found = await db.read(metrics.between, COARSE_S, 0, NOW + 9999)
    assert [sample.readings["files"] for sample in found] == [60, 20]


async def test_the_old_is_forgotten(db: Database) -> None:
    """A day of fine samples, a month of coarse ones."""
    old = [Sample(FINE_S, NOW - KEEP_FINE_S - 10, {}), Sample(COARSE_S, NOW - KEEP_COARSE_S, {})]
    older = Sample(COARSE_S, NOW - KEEP_COARSE_S - COARSE_S, {})
    await db.write(metrics.add, [*old, older, *_fine(1)])
    assert await db.write(metrics.prune, NOW) == 2
    assert len(await db.read(metrics.between, FINE_S, 0, NOW + 1)) == 1


def test_what_is_merged_keeps_its_sums() -> None:
    """However samples are thinned for a graph, what was counted stays the same."""
    fine = _fine(47)
    for every_s in (20, 60, 300):
        thin = metrics.merged(fine, every_s)
        assert sum(sample.readings["files"] for sample in thin) == 94
        assert sum(s.readings["stages"]["hash"][2]["12"] for s in thin) == 47
