"""Writes of one turn of the loop leave together, in order."""

from __future__ import annotations

import asyncio
from typing import cast

from web.wire import AT_ONCE, Gathering


class _Written:
    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def close(self) -> None:
        self.is_closed = True


async def test_what_is_written_in_one_turn_is_one_piece() -> None:
    """Head and body of a small answer are one system call; what comes later is another."""
    written = _Written()
    wire = Gathering(cast("asyncio.Transport", written), asyncio.get_running_loop())
    wire.write(b"head")
    wire.write(b"body")
    assert written.pieces == []
    await asyncio.sleep(0)
    wire.write(b"more")
    await asyncio.sleep(0)
    assert written.pieces == [b"headbody", b"more"]


async def test_nothing_is_lost_by_closing() -> None:
    """What waits is written before the end; large pieces do not wait."""
    written = _Written()
    wire = Gathering(cast("asyncio.Transport", written), asyncio.get_running_loop())
    wire.write(b"x" * (AT_ONCE + 1))
    assert len(written.pieces) == 1
    wire.write(b"last")
    wire.close()
    assert (written.pieces[-1], written.is_closed) == (b"last", True)
