"""T01: SIGKILL at any moment of placing loses nothing, doubles nothing, leaves nothing behind."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.model import Home
from tests.kit.invariants import violations
from tests.kit.kill import Killer
from tests.library.crashing import prepare

_OPERATIONS_PER_FILE = 45  # about; so that the kills fall all over the work


def _kills(base: Path, files: int, kills: int, seed: int) -> int:
    """Place `files` with `kills` kills on the way, each checked; how many really cut it short."""
    given = prepare(base, files)
    home = Home.at(base)
    dice = random.Random(seed)
    reach = 2 * files * _OPERATIONS_PER_FILE // kills
    cuts = 0
    with (
        Killer("tests.library.crashing:place") as killer,
        Killer("tests.library.crashing:settle") as settler,
    ):
        for index in range(kills):
            if index % 3 == 2:  # any instant, also inside SQLite
                cuts += killer.run(base, kill_after_s=dice.uniform(0.01, 0.15))
            else:
                cuts += killer.run(base, kill_at=dice.randint(1, reach))
            assert violations(home, given, sources=[home.inbox], settled=False) == []
            settler.run(base)
            assert violations(home, given, sources=[home.inbox], settled=True) == []
        assert not killer.run(base)
    assert violations(home, given, sources=[home.inbox], settled=True) == []
    assert [p.name for p in home.inbox.iterdir() if not p.name.startswith(".")] == []
    with closing(sqlite3.connect(home.database)) as con:
        rows = con.execute("SELECT state, count(*) FROM media_files GROUP BY state").fetchall()
    assert rows == [("done", files)]
    return cuts


def test_forty_kills_lose_nothing(tmp_path: Path) -> None:
    """T01: 40 kills while 300 files are placed: every instant and every restart is sound."""
    assert _kills(tmp_path, files=300, kills=40, seed=1) >= 20


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    """T01 in full: 200 kills, 500 files."""
    assert _kills(tmp_path, files=500, kills=200, seed=2) >= 100


def test_the_harness_catches_a_wrong_order(tmp_path: Path) -> None:
    """A seeded fault (source removed before the commit) leaves untracked files, and is seen."""
    given = prepare(tmp_path, 30)
    home = Home.at(tmp_path)
    seen: list[str] = []
    with Killer("tests.library.crashing:place_wrongly") as killer:
        for kill_at in range(8, 14):
            assert killer.run(tmp_path, kill_at=kill_at)
            seen += violations(home, given, sources=[home.inbox], settled=True)
    assert any(one.startswith("untracked") for one in seen)
    assert any("its source is not whole" in one for one in seen)
