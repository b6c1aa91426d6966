"""How far the jobs are, counted while they work and told on the board, four times a second at most.

The rows are the truth and are read now and then, the less often the longer that takes; in between,
what was done is counted as it happens. What is told never goes backwards, and the time that is
left is told only when it can be known.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.events import Recorded
from pipeline.state import reports
from pipeline.state.progress import INTERVAL_S, Board, Progress
from pipeline.state.reports import Standing
from pipeline.state.spans import NewSpan
from pipeline.work.ledger import Ledger
from pipeline.work.meter import Meter

FILE_BYTES = 1 << 16  # what a file costs besides its bytes, as bytes
STUDY_SHARE = 0.9  # of the work on a file is its visit, the rest is placing it
LOOK_S = 1.0  # the rows are read at most this often ...
LOOK_SHARE = 0.005  # ... and take at most this share of the time
MEMORY_S = 20.0  # older speed counts for less than a third
SURE_S = 2.0  # of work, before a speed is believed
STALL_S = 30.0  # without anything done nobody knows what time is left


class Speed:
    """What is done in a second, by what was done lately."""

    def __init__(self, now: float) -> None:
        self._at = now
        self._seconds = 0.0
        self._files = 0.0
        self._bytes = 0.0
        self._moved_at = now

    def note(self, now: float, files: int, size: float) -> None:
        """So much was done since the last note."""
        passed = max(0.0, now - self._at)
        fade = math.exp(-passed / MEMORY_S)
        self._at = now
        self._seconds = self._seconds * fade + passed
        self._files = self._files * fade + files
        self._bytes = self._bytes * fade + size
        if files:
            self._moved_at = now

    @property
    def is_known(self) -> bool:
        """Was there enough work, and lately?"""
        return self._seconds >= SURE_S and self._at - self._moved_at < STALL_S and self._files > 0

    @property
    def files_per_s(self) -> float:
        """Files in a second."""
        return self._files / self._seconds if self._seconds else 0.0

    @property
    def bytes_per_s(self) -> float:
        """Bytes in a second."""
        return self._bytes / self._seconds if self._seconds else 0.0


@dataclass(slots=True)
class _Course:
    """One job: what the rows said, what was done since, and what was told last."""

    speed: Speed
    standing: Standing | None = None
    read_at: float = -math.inf
    cost_s: float = 0.0
    studied: int = 0  # files since `standing` was read; so are the next three
    done: int = 0
    studied_bytes: int = 0
    fresh: int = 0  # files and bytes studied since the speed was noted
    fresh_bytes: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    current: str = ""
    told: Progress | None = None

    def is_due(self, now: float) -> bool:
        """Is it time to read the rows again?"""
        gap_s = LOOK_S if self.is_outrun else max(LOOK_S, self.cost_s / LOOK_SHARE)
        return now - self.read_at >= gap_s

    @property
    def is_outrun(self) -> bool:
        """Do the rows tell of fewer files than there are? Whoever waits must not believe them."""
        standing = self.standing
        if standing is None or not standing.total:
            return True
        return standing.studied + self.studied > standing.total


class Headway:
    """Counts for every job of one flow, and for all together; `run` it beside the flow."""

    def __init__(self, ledger: Ledger, board: Board) -> None:
        self.meter = Meter()
        self._ledger = ledger
        self._db = ledger.db
        self._clock = ledger.clock
        self._board = board
        self._courses: dict[str, _Course] = {}
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Tell until cancelled."""
        stop = self._db.listen(self._heard)
        try:
            while True:
                if not self._courses:
                    await self._news.wait()
                self._news.clear()
                for job_id in tuple(self._courses):
                    await self._tell(job_id)
                await self._clock.sleep(INTERVAL_S)
        finally:
            stop()

    def begin(self, job_id: str | None, current: str) -> None:
        """A file of the job is being worked on."""
        if job_id is not None:
            self._course(job_id).current = current

    def visited(self, span: NewSpan, *, is_over: bool) -> None:
        """A file was visited; its way is over, or goes on to its place."""
        self.meter.note(span)
        if span.job_id is None:
            return
        course = self._course(span.job_id)
        course.stages.update(stage.stage for stage in span.stages)
        if span.outcome in ("later", "failed"):
            return
        course.studied += 1
        course.studied_bytes += span.bytes
        course.fresh += 1
        course.fresh_bytes += span.bytes
        course.done += is_over

    def placed(self, job_id: str | None) -> None:
        """A file that was visited has its place, or will not get one."""
        if job_id is not None:
            self._course(job_id).done += 1

    def _course(self, job_id: str) -> _Course:
        course = self._courses.get(job_id)
        if course is None:
            course = self._courses[job_id] = _Course(Speed(self._clock.monotonic()))
            self._news.set()
        return course

    def _heard(self, fresh: Sequence[Recorded]) -> None:
        for event in fresh:
            if event.name == "job.started":
                self._course(event.subject)
            elif event.name == "job.finished":
                self._end(event.subject)

    def _end(self, job_id: str) -> None:
        course = self._courses.pop(job_id, None)
        if course is not None and course.told is not None:
            self._board.report(ended(course.told))

    async def _tell(self, job_id: str) -> None:
        course, now = self._courses[job_id], self._clock.monotonic()
        if course.is_due(now):
            await self._look(job_id, course, now)
        if course.standing is None or job_id not in self._courses:
            return
        course.speed.note(now, course.fresh, course.fresh_bytes + course.fresh * FILE_BYTES)
        course.fresh = course.fresh_bytes = 0
        progress = _progress(job_id, course, self._ledger.waiting_for)
        if progress != course.told:
            course.told = progress
            self._board.report(progress)

    async def _look(self, job_id: str, course: _Course, now: float) -> None:
        course.studied = course.done = course.studied_bytes = 0
        course.read_at = now
        course.standing = await self._db.read(reports.standing, job_id)
        course.cost_s = self._clock.monotonic() - now
        if course.standing is None or course.standing.is_over:
            self._end(job_id)
            self._courses.pop(job_id, None)


def progress_of(job_id: str, standing: Standing) -> Progress:
    """A job as the rows tell it, without a speed."""
    return Progress(
        job_id=job_id,
        total=standing.total,
        processed=standing.done,
        errors=standing.errors,
        owner_id=standing.owner_id,
        studied=standing.studied,
        put_off=standing.put_off,
        bytes_total=standing.bytes_total,
        bytes_done=standing.bytes_done,
        share=share_of(standing, standing.studied, standing.bytes_studied, standing.done),
        why=standing.why,
        is_over=standing.is_over,
    )


def share_of(standing: Standing, studied: int, studied_bytes: float, done: int) -> float:
    """How much of the job is done, 0 to 1, by bytes and a little by files."""
    if not standing.total:
        return 1.0 if standing.is_over else 0.0
    whole = _effort(standing.total, standing.bytes_total)
    visited = _effort(studied, studied_bytes) / whole
    placed = done / standing.total
    return min(1.0, STUDY_SHARE * visited + (1 - STUDY_SHARE) * placed)


def _effort(files: int, size: float) -> float:
    return size + files * FILE_BYTES


def ended(last: Progress) -> Progress:
    """The last word about a job."""
    return replace(last, is_over=True, left_s=None, why=None, current="")


def _progress(job_id: str, course: _Course, why: str | None) -> Progress:
    standing, before = course.standing, course.told
    assert standing is not None, "what was never read is not told"
    studied = min(standing.total, standing.studied + course.studied)
    done = min(standing.total, standing.done + course.done)
    size = min(standing.bytes_total, standing.bytes_studied + course.studied_bytes)
    share = share_of(standing, studied, size, done)
    mean = standing.bytes_total / standing.total if standing.total else 0.0
    bytes_done = min(standing.bytes_total, int(standing.bytes_done + course.done * mean))
    if before is not None:
        studied, done = max(studied, before.studied), max(done, before.processed)
        share, bytes_done = max(share, before.share), max(bytes_done, before.bytes_done)
    speed = course.speed
    rate = speed.bytes_per_s
    left = (1 - share) * _effort(standing.total, standing.bytes_total) / rate if rate else None
    is_known = speed.is_known and not (standing.why or why)
    return Progress(
        job_id=job_id,
        total=standing.total,
        processed=done,
        errors=standing.errors,
        stages=dict(course.stages),
        current=course.current,
        owner_id=standing.owner_id,
        studied=studied,
        put_off=standing.put_off,
        bytes_total=standing.bytes_total,
        bytes_done=bytes_done,
        share=round(share, 4),
        files_per_s=round(speed.files_per_s, 2) if is_known else None,
        bytes_per_s=round(rate, 1) if is_known else None,
        left_s=round(left, 1) if is_known and left is not None else None,
        why=standing.why or why,
    )
