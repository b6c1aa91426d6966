"""Durable receivers."""

from __future__ import annotations

import sqlite3

from pipeline.events import FileReleased
from pipeline.state import events, receivers
from pipeline.state.connection import Database
from tests.kit.state import AT


def _tell(con: sqlite3.Connection, count: int) -> None:
    for _ in range(count):
        events.append(con, FileReleased("f"), actor="t", at=AT)


async def test_a_receiver_reads_from_where_it_joined_and_never_goes_back(db: Database) -> None:
    """Joining twice keeps the place; a place only moves forward; leaving forgets it."""
    await db.write(_tell, 3)
    assert await db.write(receivers.join, "hooks", AT) == 3
    await db.write(_tell, 4)
    assert await db.write(receivers.join, "hooks", AT) == 3
    assert await db.read(receivers.lag) == {"hooks": 4}
    assert await db.write(receivers.advance, "hooks", 6, AT)
    assert not await db.write(receivers.advance, "hooks", 5, AT)
    assert await db.read(receivers.position, "hooks") == 6
    await db.write(receivers.leave, "hooks")
    assert await db.read(receivers.position, "hooks") is None
    assert await db.write(receivers.join, "hooks", AT) == 7
