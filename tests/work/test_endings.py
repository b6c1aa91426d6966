"""How the core ends, and what the next start finds."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from pipeline.state import queue
from pipeline.state.connection import Database
from tests.work.deeds import picture
from tests.work.rig import open_rig


@contextlib.contextmanager
def core(what: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The core in its own process, killed at the end whatever happens."""
    command = [sys.executable, "-m", "tests.work.core_under_test", what, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def end_of_draining(folder: Path) -> int:
    with core("drain", folder) as process:
        return process.wait(60)


def hear(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().strip() == word


async def fill(folder: Path, names: list[str], deed: str = "") -> None:
    async with open_rig(folder) as rig:
        await rig.admit([picture(rig.root.path / name, deed) for name in names])


async def attempts(db: Database) -> list[int]:
    def ask(con):  # type: ignore[no-untyped-def]  # a query of this test only
        return [row[0] for row in con.execute("SELECT attempts FROM tasks WHERE status = 'queued'")]

    return list(await db.read(ask))


async def test_a_file_that_kills_the_core_is_rejected_alone(tmp_path: Path) -> None:
    """T07: after three starts the poison file is quarantined; every other file is done."""
    good = [f"good{n:03}.png" for n in range(40)]
    await fill(tmp_path, [*good[:20], "poison.png", *good[20:]])
    deaths = 0
    while await asyncio.to_thread(end_of_draining, tmp_path) != 0:
        deaths += 1
        assert deaths <= 3, "the poison file kills the core again and again"
    async with open_rig(tmp_path) as rig:
        states = await rig.states()
    assert deaths == 3
    assert states.pop("poison.png") == "rejected"
    assert set(states.values()) == {"done"}


async def test_sigterm_closes_in_good_order(tmp_path: Path) -> None:
    """T08: exit 0 within seconds, no child and no work file left, no attempt counted."""
    await fill(tmp_path, [f"{n}.png" for n in range(6)], "hang")
    with core("serve", tmp_path) as process:
        await asyncio.to_thread(hear, process, "busy")
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 4
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 35) == 0
        assert time.monotonic() - started < 10
        assert not [child for child in children if child.is_running()]
        assert not list((tmp_path / "work").glob("slot-*/"))
        async with open_rig(tmp_path) as rig:
            assert await attempts(rig.db) == [0] * 6
            assert await rig.db.read(queue.open_count) == 6


async def test_a_second_sigterm_ends_at_once(tmp_path: Path) -> None:
    """T08: whoever cannot wait gets an end within two seconds, children included."""
    await fill(tmp_path, [f"{n}.png" for n in range(4)], "hang")
    with core("stubborn", tmp_path) as process:
        await asyncio.to_thread(hear, process, "busy")
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(hear, process, "closing")
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 1
        assert time.monotonic() - started <= 2
        psutil.wait_procs(children, timeout=2)
        assert not [child for child in children if child.is_running()]


async def test_children_die_with_a_core_that_was_killed(tmp_path: Path) -> None:
    """A SIGKILLed core leaves no worker behind."""
    await fill(tmp_path, [f"{n}.png" for n in range(4)], "hang")
    with core("serve", tmp_path) as process:
        await asyncio.to_thread(hear, process, "busy")
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        await asyncio.to_thread(process.wait, 5)
        _, alive = psutil.wait_procs(children, timeout=5)
        assert not alive
