"""The way of a file through the machine: claim, visit, record, place.

A group of named loops, joined by bounded queues, so that a slow part holds back the ones before
it and memory stays flat however many files wait. Whoever ends the flow gives back what it held.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import structlog

from pipeline.clock import Clock, timestamp
from pipeline.errors import Broken, Conflict, TryLater
from pipeline.intake import roots
from pipeline.model import Home
from pipeline.state import jobs, queue
from pipeline.state.connection import Database
from pipeline.state.progress import Board
from pipeline.state.queue import JobCounts, Task
from pipeline.state.studies import StudyFile
from pipeline.work import adopt, pause
from pipeline.work.asked import Asker, Kind
from pipeline.work.claiming import Claimer
from pipeline.work.gate import Gate
from pipeline.work.headway import Headway
from pipeline.work.ledger import Ledger
from pipeline.work.meter import Meter
from pipeline.work.pause import Pause
from pipeline.work.record import ACTOR, Keep, Next, Recorder, Recording
from pipeline.work.settling import Place, settle
from pipeline.work.spans import span_of
from pipeline.work.study import ATTEMPTS, DueStage, Interrupted, Postponed, Refusal, Student, Study
from pipeline.work.tally import Tally
from pipeline.work.twins import Twins
from pipeline.work.workers.contract import Workers

BATCH = 32
AHEAD = 4  # files claimed ahead of each slot; after a crash so many are suspects
GATHER_S = 0.25  # studies that come within it are recorded together, unless one is awaited
OFFLINE_S = 60.0  # before a file on an absent disk is looked for again
GIVE_BACK_S = 5.0
IDLE_S = 1.0  # an empty queue is looked at this often, besides being told
LOOK_S = 5.0  # a drain looks this often, besides being told
_log = structlog.get_logger(__name__)

T = TypeVar("T")
Quarantine = Callable[[Sequence[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Means:
    """What the flow works with. All of it is opened and closed by the core."""

    db: Database
    clock: Clock
    workers: Workers
    home: Home
    stages: Sequence[DueStage]
    gate: Gate
    keep: Keep
    place: Place  # file ids whose bundles are complete -> what kept each from its place
    quarantine: Quarantine  # ids of rejected files
    mark: str = ""  # stands for the stages, see `study.mark_of`
    board: Board | None = None  # where progress is told
    asked: Sequence[Kind] = ()  # work over files that are in the library already


class Flow:
    """The running flow. `run` it in a task group; everything else may be called meanwhile."""

    def __init__(self, means: Means) -> None:
        self.tally = Tally()
        self._means = means
        self._ledger = Ledger(means.db, means.clock)
        self._claimer = Claimer(self._ledger, means.gate)
        self._headway = Headway(self._ledger, means.board or Board(means.clock))
        self._enough = asyncio.Event()  # studies: recording them waits for no more
        self._twins = Twins(self._enough.set)
        self._student = Student(means.db, means.clock, means.workers, means.stages, self._twins)
        versions = {stage.name: stage.version for stage in means.stages}
        self._recorder = Recorder(self._ledger.time, means.keep, versions, means.mark)
        self._asker = Asker(
            self._ledger,
            self._claimer,
            means.workers,
            means.home.library,
            means.asked,
            self._headway,
        )
        ahead = AHEAD * max(means.workers.slots, 2)
        self._visits: asyncio.Queue[tuple[Task, StudyFile]] = asyncio.Queue(ahead)
        self._hungry = asyncio.Event()  # at most half of what may be claimed ahead is left
        self._hungry.set()
        self._studied: asyncio.Queue[Study] = asyncio.Queue(2 * BATCH)
        self._placings: asyncio.Queue[Task] = asyncio.Queue(2 * BATCH)
        self._running: dict[str, tuple[Task, asyncio.Task[Study]]] = {}
        self._cancelled: set[str] = set()  # jobs whose tasks may still be on their way to a visit
        self._poked = asyncio.Event()
        self._asked = asyncio.Event()  # as `_poked`, for the work that is asked for
        self._moved = asyncio.Event()

    @property
    def waiting_for(self) -> str | None:
        """Why nothing is claimed, for people; None while work goes on."""
        return self._ledger.waiting_for

    @property
    def boot(self) -> str:
        """The id of this run of the flow: jobs with a lower one were begun by an earlier."""
        return self._claimer.boot

    @property
    def meter(self) -> Meter:
        """How much was done since the start."""
        return self._headway.meter

    @property
    def mark(self) -> str:
        """What stands for the stages that every file is studied with."""
        return self._means.mark

    # --- running -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until cancelled. What an earlier run left behind is taken up first."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._headway.run(), name="flow: progress")
                group.create_task(self._place_loop(), name="flow: place")
                await self._take_up()
                group.create_task(self._claim_loop(), name="flow: claim")
                for index in range(self._means.workers.slots):
                    group.create_task(self._visit_loop(), name=f"flow: visit {index}")
                group.create_task(self._record_loop(), name="flow: record")
                for index in range(self._asker.loops):
                    asking = self._asker.run(self._until_asked, self._asked_ended)
                    group.create_task(asking, name=f"flow: asked {index}")
        finally:
            # Without an answer in time nothing is lost: the next start takes back what was held.
            with contextlib.suppress(TimeoutError, TryLater):
                async with asyncio.timeout(GIVE_BACK_S):
                    await self._claimer.give_back()

    def poke(self) -> None:
        """Tasks were queued: look now instead of at the next turn."""
        self._poked.set()
        self._asked.set()

    async def drain(self, job_id: str) -> JobCounts | None:
        """Wait until no task of the job is open, then close the job; its counts."""
        self.poke()
        while True:
            moved = self._moved
            if not await self._means.db.read(queue.is_open, job_id):
                break
            await self._either(moved, LOOK_S)
        return await self._ledger.write(_close_job, job_id, self._ledger.now())

    # --- steering ------------------------------------------------------------------------------

    async def pause(
        self, reason: str, *, actor: str, minutes: float | None = None, now: bool = False
    ) -> None:
        """Claim nothing more, for so many minutes or until `resume`.

        What is running ends in its own time, or at once where `now` is asked for; an interrupted
        visit is repeated later and costs the file nothing.
        """
        at = self._means.clock.now()
        until = None if minutes is None else timestamp(at + timedelta(minutes=minutes))
        await self._means.db.write(pause.set_pause, Pause(reason, until), actor=actor, at=at)
        if now:
            self._interrupt(lambda _: True)

    async def resume(self, *, actor: str) -> bool:
        """Go on claiming; False when nothing was paused."""
        at = self._means.clock.now()
        was_paused = await self._means.db.write(pause.clear_pause, actor=actor, at=at)
        self.poke()
        return was_paused

    async def cancel(self, job_id: str, *, actor: str = ACTOR) -> int:
        """Cancel what the job has not finished; how many tasks that were. Nothing is undone.

        What is being placed at this moment is brought to its end.
        """
        ledger = self._ledger
        self._cancelled.add(job_id)
        now, at = ledger.queue_now(), ledger.now()
        cancelled = await ledger.write(jobs.cancel, job_id, now, at, actor=actor)
        self._interrupt(lambda task: task.job_id == job_id)
        self._announce()
        return cancelled

    def _interrupt(self, concerns: Callable[[Task], bool]) -> None:
        self._asker.interrupt(concerns)
        for task, running in list(self._running.values()):
            if concerns(task):
                running.cancel()

    # --- claiming and visiting -----------------------------------------------------------------

    async def _take_up(self) -> None:
        """Try alone, one by one, what was under way when the core ended unexpectedly.

        If one of them ends the core again, it alone is blamed; after three times it is rejected.
        """
        for suspect in await self._claimer.suspects():
            claimed = await self._claimer.claim_one(suspect)
            for task, file in claimed.visits:
                if suspect.attempts >= ATTEMPTS:
                    reason = f"Reading it ended Darkroom {suspect.attempts} times."
                    await self._record([Study(task, file, Refusal(reason))])
                else:
                    await self._record([await self._student.study(task, file)])

    async def _claim_loop(self) -> None:
        while True:
            await self._hungry.wait()
            self._poked.clear()
            claimed = await self._claimer.claim(self._visits.maxsize - self._visits.qsize())
            for task, file in claimed.visits:
                self._twins.enter(file)
                self._visits.put_nowait((task, file))
            if self._visits.qsize() > self._visits.maxsize // 2:
                self._hungry.clear()
            for task in claimed.placings:
                await self._placings.put(task)
            if claimed.is_empty:
                await self._either(self._poked, IDLE_S)

    async def _visit_loop(self) -> None:
        while True:
            task, file = await self._visits.get()
            if self._visits.qsize() <= self._visits.maxsize // 2:
                self._hungry.set()
            if task.job_id in self._cancelled:
                self._twins.leave(file)
            else:
                await self._studied.put(await self._visit(task, file))
                if self._is_enough():
                    self._enough.set()

    async def _visit(self, task: Task, file: StudyFile) -> Study:
        """Study in a task of its own, so that this visit alone can be interrupted."""
        self._headway.begin(task.job_id, file.source.name)
        study = self._student.study(task, file)
        running = asyncio.create_task(study, name=f"flow: study {file.id}")
        self._running[task.id] = (task, running)
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.wait([running])
            raise
        finally:
            del self._running[task.id]
        return Study(task, file, Interrupted()) if running.cancelled() else running.result()

    # --- recording and placing -----------------------------------------------------------------

    async def _record_loop(self) -> None:
        while True:
            batch = [await self._studied.get()]
            self._enough.clear()
            if not self._is_enough():
                await self._either(self._enough, GATHER_S)
            await self._record(_rest_of(batch, self._studied))

    def _is_enough(self) -> bool:
        """Is it of no use, or unkind, to wait for more studies before recording what there is?"""
        nothing_comes = not self._running and self._visits.empty()
        is_full = self._studied.qsize() >= BATCH - 1
        return nothing_comes or is_full or self._twins.is_awaited

    async def _place_loop(self) -> None:
        while True:
            batch = _rest_of([await self._placings.get()], self._placings)
            broken = await settle(
                self._ledger, self._means.place, (self.tally, self._headway), batch
            )
            if broken is not None:
                await self.pause(f"Something is wrong: {broken.message}", actor=ACTOR)
            self._announce()

    async def _record(self, batch: Sequence[Study]) -> None:
        recordings = await self._prepared(batch)
        following = await self._recorded(recordings)
        for study in batch:
            self._twins.leave(study.file)
            for reply in study.replies:
                self.tally.visit_cpu_s += reply.cpu_s
                await self._means.workers.release(reply)
        rejected = [step.rejected for step in following if step.rejected is not None]
        if rejected:
            await self._means.quarantine(rejected)
        self.tally.note(following)
        self._tell_visits(batch, following)
        for step in following:
            if step.to_place is not None:
                await self._placings.put(step.to_place)
        self._announce()

    def _tell_visits(self, batch: Sequence[Study], following: Sequence[Next]) -> None:
        for study, step in zip(batch, following, strict=True):
            span = span_of(study)
            if span is not None:
                self._headway.visited(span, is_over=not (step.is_studied or step.is_repeated))

    async def _prepared(self, batch: Sequence[Study]) -> list[Recording]:
        if not any(adopt.touches_disk(study) for study in batch):
            return [Recording(study) for study in batch]
        recordings = await asyncio.to_thread(adopt.adopt_all, self._means.home, batch)
        return [await self._believed(r) if r.is_gone else r for r in recordings]

    async def _believed(self, recording: Recording) -> Recording:
        """A source is gone only when its root is there; otherwise it waits for the root."""
        means, study = self._means, recording.study
        health = await roots.check(means.db, means.clock, study.file.root_id, actor=ACTOR)
        if isinstance(health, roots.Online):
            return recording
        return Recording(replace(study, verdict=Postponed(OFFLINE_S, health.reason)))

    async def _recorded(self, recordings: Sequence[Recording]) -> list[Next]:
        """One transaction for all; where that fails, one for each, and the bad one fails alone."""
        ledger = self._ledger
        try:
            return await ledger.write(self._recorder.record_all, recordings, ledger.now())
        except (Conflict, Broken):
            if len(recordings) == 1:
                _log.exception("a study could not be recorded")
                task_id, now = recordings[0].study.task.id, ledger.queue_now()
                message = "What was read of it could not be recorded."
                await ledger.write(queue.fail, task_id, Broken.code, message, now)
                return [Next(is_failed=True)]
        return [step for one in recordings for step in await self._recorded([one])]

    # --- small things --------------------------------------------------------------------------

    async def _either(self, told: asyncio.Event, seconds: float) -> None:
        """Until somebody tells, or so many seconds."""
        waits = (
            asyncio.create_task(told.wait(), name="flow: wait to be told"),
            asyncio.create_task(self._means.clock.sleep(seconds), name="flow: wait"),
        )
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _asked_ended(self, task: Task) -> None:
        """A job that nobody waits for is closed with its last task."""
        if task.job_id is not None:
            await self._ledger.write(_close_job, task.job_id, self._ledger.now())
        self._announce()

    async def _until_asked(self, seconds: float) -> None:
        self._asked.clear()
        await self._either(self._asked, seconds)

    def _announce(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


def _rest_of(batch: list[T], waiting: asyncio.Queue[T]) -> list[T]:
    """The batch with what else waits already, up to `BATCH`."""
    while not waiting.empty() and len(batch) < BATCH:
        batch.append(waiting.get_nowait())
    return batch


def _close_job(con: sqlite3.Connection, job_id: str, at: str) -> JobCounts | None:
    """Mark a job without open tasks as done, once."""
    counts = queue.job_counts(con, job_id)
    if counts is None or counts.open_tasks:
        return counts
    jobs.end(con, job_id, "done", at, actor=ACTOR)
    return queue.job_counts(con, job_id)
