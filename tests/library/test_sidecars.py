"""Sidecars that Darkroom writes survive any crash: one of a photo, whole, under its own name."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from pathlib import Path

import pytest

from pipeline.metadata import rdf
from pipeline.model import Home
from tests.kit.invariants import violations
from tests.kit.kill import Killer
from tests.library.crashing import prepare_shelf
from tests.library.world import listing

WRITE, SETTLE = "tests.library.beside:write_in", "tests.library.beside:settle"


def _wrong(home: Home, given: dict[str, str]) -> list[str]:
    """What a crash left behind although a start has put everything right."""
    names = listing(home.library)
    photos = {name for name in names if not name.endswith(".xmp")}
    wrong = [f"a name of its own: {name}" for name in names if name not in _allowed(photos)]
    wrong += [f"left in the cache: {name}" for name in _work(home)]
    for name in names:
        if name.endswith(".xmp") and not rdf.properties((home.library / name).read_bytes()):
            wrong.append(f"says nothing: {name}")
    kept = {hashlib.sha256((home.library / name).read_bytes()).hexdigest() for name in photos}
    wrong += [
        f"a photo was changed: {name}" for name, digest in given.items() if digest not in kept
    ]
    with sqlite3.connect(f"file:{home.database}?mode=ro", uri=True) as con:
        wrong += [
            f"a row is {state}"
            for (state,) in con.execute(
                "SELECT state FROM media_files WHERE state IN ('studied', 'placing', 'placed')"
            )
        ]
        wrong += [key for (key,) in con.execute("SELECT key FROM settings WHERE key GLOB 'repl*'")]
    con.close()
    return wrong + violations(home, {}, sources=[home.inbox], settled=True)


def _allowed(photos: set[str]) -> set[str]:
    return photos | {f"{name}.xmp" for name in photos}


def _work(home: Home) -> list[str]:
    folder = home.cache / "sidecars"
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def _kills(base: Path, files: int, kills: int, seed: int) -> int:
    given = prepare_shelf(base, files)
    home, dice, cuts = Home.at(base), random.Random(seed), 0
    with Killer(WRITE) as killer, Killer(SETTLE) as settler:
        for _ in range(kills):
            cuts += killer.run(base, kill_at=dice.randint(1, 90))
            settler.run(base)
            assert _wrong(home, given) == []
        assert not killer.run(base)
    assert _wrong(home, given) == []
    photos = {name for name in listing(home.library) if not name.endswith((".xmp", ".MOV"))}
    assert set(listing(home.library)) - photos >= {f"{name}.xmp" for name in photos}
    return cuts


def test_kills_leave_no_other_names(tmp_path: Path) -> None:
    """T-crash: killed at any step of writing sidecars, a start leaves one per photo, as named."""
    assert _kills(tmp_path, files=4, kills=18, seed=5) >= 9


def test_the_harness_sees_a_start_that_forgets(tmp_path: Path) -> None:
    """A seeded fault: without the look at what was being written, something is left behind."""
    given = prepare_shelf(tmp_path, 4)
    home, found = Home.at(tmp_path), set[str]()
    with (
        Killer("tests.library.beside:write_carelessly") as killer,
        Killer("tests.library.beside:settle_carelessly") as settler,
    ):
        assert not killer.run(tmp_path)
        for kill_at in range(30, 160, 3):
            killer.run(tmp_path, kill_at=kill_at)
            settler.run(tmp_path)
            found |= {one.partition(":")[0] for one in _wrong(home, given)}
            if "a name of its own" in found:
                break
    assert "a name of its own" in found


@pytest.mark.long
@pytest.mark.timeout(600)
def test_many_kills_leave_no_other_names(tmp_path: Path) -> None:
    """The same, 200 times."""
    assert _kills(tmp_path, files=12, kills=200, seed=6) >= 100
