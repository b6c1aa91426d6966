"""Work that goes on after who asked for it got an answer: a few at once, ended with the core.

Each errand tells its own end in the state, since nobody waits for it; what fails unforeseen is
logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from pipeline.errors import Busy

AT_ONCE = 2
MOST = 50
_log = structlog.get_logger(__name__)


class Errands:
    """The errands of one core."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()

    def refuse_if_full(self) -> None:
        """Raises `Busy` while too many errands wait: ask before anything is written down."""
        if len(self._tasks) >= MOST:
            raise Busy("Too much is being done already.", hint="Try again when some is over.")

    def run(self, work: Callable[[], Awaitable[object]], name: str) -> None:
        """Do this when it is its turn."""
        task = asyncio.create_task(self._run(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until all that was begun is over."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """End what is going on; what was begun has its chance to tell so."""
        for task in self._tasks:
            task.cancel()
        await self.idle()

    async def _run(self, work: Callable[[], Awaitable[object]], name: str) -> None:
        try:
            async with self._turn:
                await work()
        except Exception:  # border: an errand has nobody who waits for it
            _log.exception("an errand failed", errand=name)
