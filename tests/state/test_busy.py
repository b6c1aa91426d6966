"""Another process holds the database."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import Busy
from pipeline.state import settings
from pipeline.state.connection import open_database

HOLD = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
con.execute("ROLLBACK")
con.close()
"""


@contextmanager
def _held(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder


async def test_a_held_database_makes_writes_late_never_lost(path: Path) -> None:
    """T25: writes answer Busy in time, reads are served, and every answer is the truth."""
    async with open_database(path, SystemClock(), busy_timeout_s=0.3) as db:
        await db.write(settings.put, "before", 1)
        with _held(path) as holder:
            began = time.monotonic()
            # More than one group, so that those behind the first are answered in time as well.
            writes = asyncio.gather(
                *(db.write(settings.put, f"k{i}", i) for i in range(2000)), return_exceptions=True
            )
            assert await db.read(settings.get, "before") == 1
            answers = await writes
            assert time.monotonic() - began < 5
            assert {type(answer) for answer in answers} == {Busy}
            assert await db.read(settings.get, "k0") is None
            holder.communicate("go\n")
        await asyncio.gather(*(db.write(settings.put, f"k{i}", i) for i in range(100)))
        assert await db.read(settings.get, "k99") == 99


async def test_a_short_hold_is_waited_out(path: Path) -> None:
    """T25: when the other process lets go in time, nobody notices."""
    async with open_database(path, SystemClock(), busy_timeout_s=30) as db:
        with _held(path) as holder:
            writing = asyncio.create_task(db.write(settings.put, "a", 1))
            assert await db.read(settings.get, "a") is None
            assert not writing.done()
            await asyncio.to_thread(holder.communicate, "go\n")
            await writing
        assert await db.read(settings.get, "a") == 1


async def test_a_home_held_from_the_start_is_busy(path: Path) -> None:
    """T25: opening says Busy too, instead of a traceback."""
    async with open_database(path, SystemClock()) as db:
        await db.write(settings.put, "a", 1)
        with _held(path) as holder:
            with pytest.raises(Busy):
                async with open_database(path, SystemClock(), busy_timeout_s=0.1) as second:
                    await second.write(settings.put, "a", 2)
            holder.communicate("go\n")
