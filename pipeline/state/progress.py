"""How far each job is, in memory: the latest value only, at most four a second to each watcher.

Progress is not an event: it may be lost at any time, and a slow watcher misses steps, not the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from pipeline.clock import Clock

INTERVAL_S = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """One job as it stands now."""

    job_id: str
    total: int
    processed: int
    errors: int = 0
    stages: Mapping[str, int] = field(default_factory=dict)  # stage -> files that passed it
    current: str = ""  # what is being worked on, for people
    is_over: bool = False


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

    def report(self, progress: Progress) -> None:
        """Replace the job's value; never waits. The last one `is_over`, and is then forgotten."""
        self._latest[progress.job_id] = progress
        if progress.is_over:
            del self._latest[progress.job_id]
        for watcher in self._watchers.get(progress.job_id, ()):
            watcher.latest = progress
            watcher.news.set()

    def latest(self, job_id: str) -> Progress | None:
        """The job's value; None before the first and after the last."""
        return self._latest.get(job_id)

    def running(self) -> list[Progress]:
        """All jobs that have reported and are not over, oldest first."""
        return list(self._latest.values())

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
