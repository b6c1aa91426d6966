"""T03: the order of system calls and commits that makes placing safe, for every single file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.library import placing
from pipeline.state import placements
from tests.kit.shim import Call, Shim
from tests.library.world import TEMPLATE, World, add_many


async def _placed_under(
    shim: Shim, world: World, monkeypatch: pytest.MonkeyPatch, count: int
) -> list[Call]:
    """Everything that happened while `count` files were placed, commits included."""
    ids = await add_many(world, count)
    write: Callable[..., Any] = world.db.write

    async def noted(fn: Callable[..., Any], *args: Any, **more: Any) -> Any:
        value = await write(fn, *args, **more)
        if fn in (placements.placed, placements.done):
            shim.note(f"commit {fn.__name__}", *(one.file_id for one in args[0]))
        return value

    monkeypatch.setattr(world.db, "write", noted)
    with shim:
        results = await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    assert set(results.values()) == {None}
    return shim.calls


def _timeline(calls: list[Call], library: Path) -> dict[str, list[tuple[int, str]]]:
    """Numbered calls by what they are about: a path, or the id of the file staged or committed."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, call in enumerate(calls):
        for path in call.paths:
            is_staged = path.startswith(f"{library}/.staging/")
            about = Path(path).name.partition(".")[0] if is_staged else path
            found[about].append((number, call.name))
    return found


def _steps(
    timeline: dict[str, list[tuple[int, str]]], world: World, file_id: str, name: str, path: str
) -> list[str]:
    """The steps of one file, in the order they happened."""
    target, source = world.path(path), world.inbox.path / name
    wanted = {
        file_id: {"fsync": "fsync file", "pread": "read back", "commit placed": "commit placed"}
        | {"commit done": "commit done"},
        str(target): {"link": "link"},
        str(target.parent): {"fsync": "fsync folder"},
        str(world.home.library): {"fsync": "fsync library"},
        str(source): {"unlink": "unlink source"},
        str(source.parent): {"fsync": "fsync inbox"},
    }
    return [
        step
        for _, step in sorted(
            (number, steps[call])
            for about, steps in wanted.items()
            for number, call in timeline[about]
            if call in steps
        )
    ]


def _wrong(steps: list[str]) -> str | None:
    """What is wrong with one file's steps; folders are shared, so only order counts for them."""
    once = ("fsync file", "link", "commit placed", "unlink source", "commit done")
    if any(steps.count(step) != 1 for step in once):
        return f"not exactly once: {steps}"
    link, placed = steps.index("link"), steps.index("commit placed")
    if not (steps.index("fsync file") < steps.index("read back") < link < placed):
        return f"not proven before it is named: {steps}"
    synced = {"fsync folder", "fsync library"} <= set(steps[link:placed])
    if not synced:
        return f"the name is not lasting before the commit: {steps}"
    unlink, done = steps.index("unlink source"), steps.index("commit done")
    if not (placed < unlink < done and "fsync inbox" in steps[unlink:done]):
        return f"released out of order: {steps}"
    return None


async def _all_wrong(world: World, calls: list[Call]) -> list[str]:
    rows = await world.rows()
    timeline = _timeline(calls, world.home.library)
    found = (
        _wrong(_steps(timeline, world, row["id"], row["source_path"].decode(), row["path"]))
        for row in rows.values()
    )
    return [wrong for wrong in found if wrong]


async def test_every_file_keeps_the_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """T03: 500 of 500: sync, read back, link, sync folder, commit, release, sync, commit."""
    shim = Shim()
    calls = await _placed_under(shim, world, monkeypatch, 500)
    assert len(await world.rows()) == 500
    assert await _all_wrong(world, calls) == []


async def test_the_check_catches_a_dropped_sync(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seeded fault: without the sync of the folders every file is reported."""
    monkeypatch.setattr("pipeline.library.carrying._sync", lambda *_: None)
    calls = await _placed_under(Shim(), world, monkeypatch, 5)
    assert len(await _all_wrong(world, calls)) == 5


async def test_the_check_catches_an_early_release(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seeded fault: a source released before the commit is reported."""
    shim = Shim()
    calls = await _placed_under(shim, world, monkeypatch, 5)
    early = [call for call in calls if call.name == "unlink" and "inbox" in call.paths[0]]
    swapped = [*early, *(call for call in calls if call not in early)]
    assert len(await _all_wrong(world, swapped)) == 5
