"""The way of a file through the machine: claim, visit, record, place.

A group of named loops, joined by bounded queues, so that a slow part holds back the ones before
it and memory stays flat however many files wait. A task's attempt is committed before its work
starts; whoever ends the flow gives back what it held, uncounted.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import Broken, ChangedWhileRead, Conflict, DarkroomError, TryLater
from pipeline.events import JobFinished
from pipeline.intake import roots
from pipeline.model import Home, Priority
from pipeline.state import events, jobs, queue, studies
from pipeline.state.connection import Database
from pipeline.state.queue import JobCounts, Task
from pipeline.state.studies import StudyFile
from pipeline.work import adopt, pause
from pipeline.work.gate import Gate
from pipeline.work.pause import Pause
from pipeline.work.queue import QueueTime, Turns, claim, retry_delay_s
from pipeline.work.record import ACTOR, Next, Recorder, Recording, Sign, settle_bundles
from pipeline.work.resources import Wait
from pipeline.work.study import ATTEMPTS, DueStage, Interrupted, Postponed, Refusal, Student, Study
from pipeline.work.workers.contract import Workers

BATCH = 32
AHEAD = 4  # files claimed ahead of each slot; after a crash so many are suspects
VISIT, PLACE = "visit", "place"
GATHER_S = 0.02  # studies that come within it are recorded together
CHANGED_S = 10.0  # before a file that changes is read again
OFFLINE_S = 60.0  # before a file on an absent disk is looked for again
GIVE_BACK_S = 5.0
IDLE_S = 1.0  # an empty queue is looked at this often, besides being told
_log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

Place = Callable[[Sequence[str]], Awaitable[Mapping[str, DarkroomError | None]]]
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
    sign: Sign
    place: Place  # file ids whose bundles are complete -> what kept each from its place
    quarantine: Quarantine  # ids of rejected files


@dataclass(slots=True)
class Tally:
    """What happened since the start, for progress. Counts files, not tasks."""

    studied: int = 0
    placed: int = 0
    duplicates: int = 0
    rejected: int = 0
    failed: int = 0
    retried: int = 0
    visit_cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one look into the queue brought."""

    visits: Sequence[tuple[Task, StudyFile]] = ()
    placings: Sequence[Task] = ()
    pause: Pause | None = None


class Flow:
    """The running flow. `run` it in a task group; everything else may be called meanwhile."""

    def __init__(self, means: Means) -> None:
        self.tally = Tally()
        self.waiting_for: str | None = None  # why nothing is claimed, for people
        self._means = means
        self._time = QueueTime(means.clock)
        self._boot = new_id(means.clock.now())
        self._turns = Turns()
        self._student = Student(means.db, means.workers, means.stages)
        self._recorder = Recorder(self._time, means.sign)
        ahead = max(AHEAD * means.workers.slots, 2 * AHEAD)
        self._visits: asyncio.Queue[tuple[Task, StudyFile]] = asyncio.Queue(ahead)
        self._hungry = asyncio.Event()  # at most half of what may be claimed ahead is left
        self._hungry.set()
        self._studied: asyncio.Queue[Study] = asyncio.Queue(2 * BATCH)
        self._placings: asyncio.Queue[Task] = asyncio.Queue(2 * BATCH)
        self._running: dict[str, tuple[Task, asyncio.Task[Study]]] = {}
        self._cancelled: set[str] = set()  # jobs whose tasks may still be on their way to a visit
        self._poked = asyncio.Event()
        self._moved = asyncio.Event()

    # --- running -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until cancelled. What an earlier run left behind is taken up first."""
        try:
            await self._take_up()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._claim_loop(), name="flow: claim")
                for index in range(self._means.workers.slots):
                    group.create_task(self._visit_loop(), name=f"flow: visit {index}")
                group.create_task(self._record_loop(), name="flow: record")
                group.create_task(self._place_loop(), name="flow: place")
        finally:
            # Without an answer in time nothing is lost: the next start takes back what was held.
            with contextlib.suppress(TimeoutError, TryLater):
                async with asyncio.timeout(GIVE_BACK_S):
                    await self._means.db.write(queue.give_back, self._boot, self._now())

    def poke(self) -> None:
        """Tasks were queued: look now instead of at the next turn."""
        self._poked.set()

    async def drain(self, job_id: str) -> JobCounts | None:
        """Wait until no task of the job is open, then close the job; its counts."""
        self.poke()
        while True:
            moved = self._moved
            counts = await self._means.db.read(queue.job_counts, job_id)
            if counts is None or counts.open_tasks == 0:
                break
            await moved.wait()
        return await self._means.db.write(_close_job, job_id, self._means.clock)

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

    async def cancel(self, job_id: str) -> int:
        """Cancel what the job has not finished; how many tasks that were. Nothing is undone.

        What is being placed at this moment is brought to its end.
        """
        self._cancelled.add(job_id)
        cancelled = await self._persist(_cancel_job, job_id, self._now(), self._at())
        self._interrupt(lambda task: task.job_id == job_id)
        self._announce()
        return cancelled

    def _interrupt(self, concerns: Callable[[Task], bool]) -> None:
        for task, running in list(self._running.values()):
            if concerns(task):
                running.cancel()

    # --- claiming ------------------------------------------------------------------------------

    async def _claim_loop(self) -> None:
        while True:
            await self._hungry.wait()
            claimed = await self._claim(self._visits.maxsize - self._visits.qsize())
            for visit in claimed.visits:
                self._visits.put_nowait(visit)
            if self._visits.qsize() > self._visits.maxsize // 2:
                self._hungry.clear()
            for task in claimed.placings:
                await self._placings.put(task)
            if not claimed.visits and not claimed.placings:
                await self._nap(IDLE_S)

    async def _claim(self, count: int) -> Claimed:
        allowed = await self._means.gate.ask()
        if isinstance(allowed.interactive, Wait):
            self.waiting_for = allowed.interactive.reason
            return Claimed()
        is_resting = isinstance(allowed.background, Wait)
        priorities = (Priority.INTERACTIVE,) if is_resting else tuple(Priority)
        claimed = await self._persist(self._claim_in, count, priorities)
        self.waiting_for = claimed.pause.reason if claimed.pause else None
        if isinstance(allowed.background, Wait) and not claimed.visits:
            self.waiting_for = allowed.background.reason
        return claimed

    def _claim_in(
        self, con: sqlite3.Connection, count: int, priorities: Sequence[Priority]
    ) -> Claimed:
        held = pause.in_force(con, self._means.clock.now())
        if held is not None:
            return Claimed(pause=held)
        tasks = claim(
            con, self._turns, count, boot=self._boot, at=self._time.now(), priorities=priorities
        )
        return self._claimed(con, tasks)

    def _claimed(self, con: sqlite3.Connection, tasks: Sequence[Task]) -> Claimed:
        visits = [task for task in tasks if task.kind == VISIT]
        files = studies.files_to_study(con, [task.file_id for task in visits])
        return Claimed(
            visits=[(task, files[task.file_id]) for task in visits],
            placings=[task for task in tasks if task.kind == PLACE],
        )

    async def _nap(self, seconds: float) -> None:
        """Until somebody pokes, or so many seconds."""
        self._poked.clear()
        nap = asyncio.ensure_future(self._means.clock.sleep(seconds))
        poked = asyncio.ensure_future(self._poked.wait())
        try:
            await asyncio.wait((nap, poked), return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            poked.cancel()

    # --- after a start -------------------------------------------------------------------------

    async def _take_up(self) -> None:
        """Try alone, one by one, what was under way when the core ended unexpectedly.

        If one of them ends the core again, it alone is blamed; after three times it is rejected.
        """
        suspects = await self._persist(queue.recover, self._boot, self._now())
        for suspect in suspects:
            claimed = await self._persist(self._claim_one, suspect)
            for task, file in claimed.visits:
                if suspect.attempts >= ATTEMPTS:
                    reason = f"Reading it ended Darkroom {suspect.attempts} times."
                    await self._record([Study(task, file, Refusal(reason))])
                else:
                    await self._record([await self._student.study(task, file)])

    def _claim_one(self, con: sqlite3.Connection, task: Task) -> Claimed:
        queue.take(con, [task.id], self._boot, self._now())
        return self._claimed(con, [replace(task, attempts=task.attempts + 1)])

    # --- visiting and recording ----------------------------------------------------------------

    async def _visit_loop(self) -> None:
        while True:
            task, file = await self._visits.get()
            if self._visits.qsize() <= self._visits.maxsize // 2:
                self._hungry.set()
            if task.job_id not in self._cancelled:
                await self._studied.put(await self._visit(task, file))

    async def _visit(self, task: Task, file: StudyFile) -> Study:
        """Study in a task of its own, so that this visit alone can be interrupted."""
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

    async def _record_loop(self) -> None:
        while True:
            batch = [await self._studied.get()]
            await self._means.clock.sleep(GATHER_S)
            while not self._studied.empty() and len(batch) < BATCH:
                batch.append(self._studied.get_nowait())
            await self._record(batch)

    async def _record(self, batch: Sequence[Study]) -> None:
        recordings = await self._prepared(batch)
        following = await self._recorded(recordings)
        for study in batch:
            for reply in study.replies:
                self.tally.visit_cpu_s += reply.cpu_s
                await self._means.workers.release(reply)
        rejected = [step.rejected for step in following if step.rejected is not None]
        if rejected:
            await self._means.quarantine(rejected)
        self._count(following)
        for step in following:
            if step.to_place is not None:
                await self._placings.put(step.to_place)
        self._announce()

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
        try:
            return await self._persist(self._recorder.record_all, recordings, self._at())
        except (Conflict, Broken):
            if len(recordings) == 1:
                _log.exception("a study could not be recorded")
                study = recordings[0].study
                message = "What was read of it could not be recorded."
                await self._persist(queue.fail, study.task.id, "Broken", message, self._now())
                return [Next(is_failed=True)]
        return [step for one in recordings for step in await self._recorded([one])]

    # --- placing -------------------------------------------------------------------------------

    async def _place_loop(self) -> None:
        while True:
            batch = [await self._placings.get()]
            while not self._placings.empty() and len(batch) < BATCH:
                batch.append(self._placings.get_nowait())
            await self._place(batch)

    async def _place(self, batch: Sequence[Task]) -> None:
        by_file = {task.file_id: task for task in batch}
        await self._persist(settle_bundles, list(by_file), self._at())
        try:
            errors = await self._means.place(list(by_file))
        except DarkroomError as error:
            errors = dict.fromkeys(by_file, error)
        outcome = [(task, errors.get(file_id)) for file_id, task in by_file.items()]
        await self._persist(self._placed_in, outcome)
        broken = next((e for e in errors.values() if isinstance(e, Broken)), None)
        if broken is not None:
            await self.pause(f"Something is wrong: {broken.message}", actor=ACTOR)
        self._announce()

    def _placed_in(
        self, con: sqlite3.Connection, outcome: Sequence[tuple[Task, DarkroomError | None]]
    ) -> None:
        now = self._now()
        for task, error in outcome:
            match error:
                case None:
                    queue.finish_placing(con, task.id, task.file_id, now)
                    self.tally.placed += 1
                case TryLater():
                    until = self._time.text(retry_delay_s(task.attempts, error.after_s))
                    queue.retry(con, task.id, until, error.code, str(error), at=now)
                    self.tally.retried += 1
                case ChangedWhileRead():
                    studies.forget_content(con, task.file_id, self._at())
                    queue.look_again(con, task.id, self._time.text(CHANGED_S), now)
                    self.tally.retried += 1
                case _:
                    queue.fail(con, task.id, error.code, str(error), now)
                    self.tally.failed += 1

    # --- small things --------------------------------------------------------------------------

    async def _persist(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write, for as long as it takes: a full or busy disk delays the flow, never ends it."""
        while True:
            try:
                return await self._means.db.write(fn, *args, **kwargs)
            except TryLater as error:
                self.waiting_for = error.message
                await self._means.clock.sleep(error.after_s)

    def _count(self, following: Sequence[Next]) -> None:
        for step in following:
            self.tally.studied += step.is_studied
            self.tally.duplicates += step.is_duplicate
            self.tally.retried += step.is_repeated
            self.tally.rejected += step.rejected is not None
            self.tally.failed += step.is_failed

    def _announce(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _now(self) -> str:
        return self._time.text()

    def _at(self) -> str:
        return timestamp(self._means.clock.now())


def _cancel_job(con: sqlite3.Connection, job_id: str, now: str, at: str) -> int:
    cancelled = queue.cancel_job(con, job_id, now)
    if jobs.finish(con, job_id, "cancelled", at):
        events.append(con, JobFinished(job_id, "cancelled"), actor=ACTOR, at=at)
    return cancelled


def _close_job(con: sqlite3.Connection, job_id: str, clock: Clock) -> JobCounts | None:
    """Mark a job without open tasks as done, once."""
    counts = queue.job_counts(con, job_id)
    if counts is None or counts.open_tasks:
        return counts
    at = timestamp(clock.now())
    if jobs.finish(con, job_id, "done", at):
        events.append(con, JobFinished(job_id, "done"), actor=ACTOR, at=at)
    return queue.job_counts(con, job_id)
