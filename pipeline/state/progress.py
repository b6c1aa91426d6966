"""How far each job is, in memory: the latest value only, at most four a second to each watcher.

Progress is not an event: it may be lost at any time, and a slow watcher misses steps, not the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from pipeline.clock import Clock

INTERVAL_S = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """One job as it stands now. Counts are of files; `share` never falls.

    A rate is None until it can be told, and so is the time that is left.
    """

    job_id: str
    total: int
    processed: int  # their way through the job is over
    errors: int = 0
    stages: Mapping[str, int] = field(default_factory=dict)  # stage -> files that passed it
    current: str = ""  # what is being worked on, for people
    is_over: bool = False
    owner_id: str = ""
    studied: int = 0
    put_off: int = 0  # of those not processed: what failed for now
    bytes_total: int = 0
    bytes_done: int = 0
    share: float = 0.0  # 0 to 1, by bytes
    files_per_s: float | None = None
    bytes_per_s: float | None = None
    left_s: float | None = None
    why: str | None = None  # what work waits for, for people

    @property
    def waiting(self) -> int:
        """Files that the job is not done with."""
        return self.total - self.processed


@dataclass(slots=True, eq=False)
class _Watcher:
    latest: Progress | None
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Board:
    """Where workers write their progress and surfaces look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest: dict[str, Progress] = {}
        self._watchers: dict[str, list[_Watcher]] = {}
        self._listeners: list[Callable[[Progress], None]] = []

    def report(self, progress: Progress) -> None:
        """Replace the job's value; never waits. The last one `is_over`, and is then forgotten."""
        self._latest[progress.job_id] = progress
        if progress.is_over:
            del self._latest[progress.job_id]
        for watcher in self._watchers.get(progress.job_id, ()):
            watcher.latest = progress
            watcher.news.set()
        for listener in self._listeners:
            listener(progress)

    def latest(self, job_id: str) -> Progress | None:
        """The job's value; None before the first and after the last."""
        return self._latest.get(job_id)

    def running(self) -> list[Progress]:
        """All jobs that have reported and are not over, oldest first."""
        return list(self._latest.values())

    def listen(self, listener: Callable[[Progress], None]) -> Callable[[], None]:
        """Call `listener` with every value of every job; it may not wait. Returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def watch(self, job_id: str) -> AsyncIterator[Progress]:
        """The job's values as they come, at most four a second; ends after the last one."""
        watcher = _Watcher(self._latest.get(job_id))
        self._watchers.setdefault(job_id, []).append(watcher)
        try:
            while True:
                if watcher.latest is None:
                    await watcher.news.wait()
                watcher.news.clear()
                progress, watcher.latest = watcher.latest, None
                assert progress is not None, "news without a value"
                yield progress
                if progress.is_over:
                    return
                await self._clock.sleep(INTERVAL_S)
        finally:
            self._forget(job_id, watcher)

    def _forget(self, job_id: str, watcher: _Watcher) -> None:
        self._watchers[job_id].remove(watcher)
        if not self._watchers[job_id]:
            del self._watchers[job_id]
