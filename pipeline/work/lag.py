"""How late the event loop comes to what is due: the one figure that tells whether it was held up.

Ten times a second a call is due at a known moment; by how much it is late is what everybody else
waited for, too. What fell due while the loop was held up counts as well: a second in which nobody
was answered is ten late calls, not one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.work.meter import Durations

EVERY_S = 0.1


@contextmanager
def watched(told: Durations) -> Iterator[None]:
    """Note into `told`, until the block ends, how late the running loop is, in milliseconds."""
    loop = asyncio.get_running_loop()
    due = loop.time() + EVERY_S
    waiting: asyncio.TimerHandle

    def look() -> None:
        nonlocal due, waiting
        now = loop.time()
        while due <= now:
            told.note(round(1000 * (now - due)))
            due += EVERY_S
        waiting = loop.call_at(due, look)

    waiting = loop.call_at(due, look)
    try:
        yield
    finally:
        waiting.cancel()
