"""Bursts: photos of one camera within a moment of each other, and the best of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import SystemClock
from pipeline.library import duplicates
from pipeline.state import analysis, bursts
from pipeline.state.connection import Database, open_database
from tests.kit.state import AT, OWNER, add_file, add_household


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """An open state with a household and no file."""
    async with open_database(tmp_path / "darkroom.sqlite", SystemClock()) as database:
        await database.write(add_household)
        yield database


async def shot(db: Database, name: str, second: float, **more: Any) -> None:
    """A photo of the household's camera, so many seconds after noon."""
    at = f"2023-07-01T12:00:{second:06.3f}Z"
    told = {"camera": "Phone", "taken_from": "exif", "taken_utc": at, "taken_at": at, **more}
    await db.write(lambda con: add_file(con, name, **told))


async def found(db: Database, after: str = "") -> list[list[str]]:
    """The bursts, by the names of their frames."""
    groups = await db.read(bursts.groups, OWNER, after, 50)
    return [[member.file_id for member in group.members] for group in groups]


async def test_a_burst_ends_with_a_pause(db: Database) -> None:
    """Frames up to two seconds apart are one burst; two photos are none; pages go on after one."""
    for name, second in (("a1", 0), ("a2", 0.3), ("a3", 2.2), ("b1", 9), ("b2", 9.5), ("b3", 10)):
        await shot(db, name, second)
    await shot(db, "c1", 20)
    await shot(db, "c2", 20.5)
    assert await found(db) == [["a1", "a2", "a3"], ["b1", "b2", "b3"]]
    assert await found(db, after="a1") == [["b1", "b2", "b3"]]


async def test_other_cameras_and_weak_clocks_are_no_part_of_it(db: Database) -> None:
    """Two phones at one party are two series; dates from file systems tell nothing of moments."""
    for number in range(3):
        await shot(db, f"one{number}", number, camera="Phone")
        await shot(db, f"other{number}", number + 0.1, camera="Camera")
        await shot(db, f"copy{number}", number, camera="Third", taken_from="mtime")
        await shot(db, f"gone{number}", number, camera="Fourth", state="trashed", path=None)
    assert await found(db) == [["other0", "other1", "other2"], ["one0", "one1", "one2"]]


async def test_the_best_frame_is_proposed_with_a_reason(db: Database) -> None:
    """Of frames alike in everything else the sharp one is the keeper, and it says so."""
    for name, sharp in (("f1", 0.3), ("f2", 0.95), ("f3", 0.35)):
        await shot(db, name, float(name[1]) / 10, width=400, height=300, format="jpeg")
        parts = {"sharpness": sharp, "exposure": 0.9, "noise": 0.9, "compression": 0.9}
        facts = {"score": 50, "parts": {**parts, "faces": None}, "why": []}
        await db.write(analysis.keep, name, "quality", facts, 0.5, "", 1, AT)
    [review] = await db.read(duplicates.series, OWNER)
    assert review.keeper.file_id == "f2"
    assert any("sharp" in reason for reason in review.keeper.reasons)
