"""The line before the readers."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

from pipeline.state import readers
from pipeline.state.connection import READERS, Database, open_database
from tests.kit.clock import FakeClock


async def test_a_request_that_began_first_is_read_for_first(tmp_path: Path) -> None:
    """The second question of an old request comes before the first one of a young request."""
    async with open_database(tmp_path / "state" / "darkroom.sqlite", FakeClock()) as db:
        told: list[str] = []
        old_may_ask, gates = asyncio.Event(), [threading.Event() for _ in range(READERS)]
        old = asyncio.create_task(_ask(db, told, "old", old_may_ask))
        await _turns()
        blocked = [asyncio.create_task(db.read(_hold, gate)) for gate in gates]
        await _turns()
        young = [asyncio.create_task(_ask(db, told, f"young {n}")) for n in range(3)]
        await _turns()
        old_may_ask.set()
        await _turns()
        gates[0].set()  # one reader is free, and takes them one by one
        await asyncio.gather(old, *young)
        for gate in gates[1:]:
            gate.set()
        await asyncio.gather(*blocked)
    assert told == ["old", "young 0", "young 1", "young 2"]


async def test_who_leaves_the_line_holds_up_nobody(tmp_path: Path) -> None:
    """A cancelled question is passed over, also when its turn had just come; no reader is lost."""
    async with open_database(tmp_path / "state" / "darkroom.sqlite", FakeClock()) as db:
        for _ in range(2 * READERS):
            gate = threading.Event()
            blocked = [asyncio.create_task(db.read(_hold, gate)) for _ in range(READERS)]
            await _turns()
            waiting = [asyncio.create_task(db.read(_one)) for _ in range(4)]
            await _turns()
            waiting[0].cancel()
            gate.set()
            await asyncio.wait(blocked, return_when=asyncio.FIRST_COMPLETED)
            waiting[1].cancel()
            await asyncio.gather(*blocked, *waiting, return_exceptions=True)
        async with asyncio.timeout(5):
            assert await asyncio.gather(*(db.read(_one) for _ in range(9))) == [1] * 9


async def _ask(
    db: Database, told: list[str], name: str, go_on: asyncio.Event | None = None
) -> None:
    readers.begin()
    if go_on is not None:
        await go_on.wait()
    await db.read(_note, told, name)


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def _note(con: sqlite3.Connection, told: list[str], name: str) -> None:
    told.append(name)


def _hold(con: sqlite3.Connection, gate: threading.Event) -> None:
    assert gate.wait(10)


def _one(con: sqlite3.Connection) -> int:
    return int(con.execute("SELECT 1").fetchone()[0])
