"""Work that is asked for over files of the library: optimise, convert, blur, study again ...

Each kind says what is asked of a file and what becomes of the answer; everything between is the
same for all: claimed like any task, visited in a worker, tried again or given up by whose fault it
was. What is made is made of the very bytes that were taken in, or it is not made.

At most all slots but one work on it, so that new photos never wait behind a long film.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from pipeline.clock import unix_ms
from pipeline.errors import BadMedia, Broken, DarkroomError, Refused, TryLater
from pipeline.intake import roots
from pipeline.model import Done, JsonObject, Later, Outcome, Reject
from pipeline.state import queue, spans
from pipeline.state.asked import LibraryFile
from pipeline.state.queue import Task
from pipeline.state.spans import NewSpan
from pipeline.work.claiming import Claimer
from pipeline.work.headway import Headway
from pipeline.work.ledger import Ledger
from pipeline.work.queue import retry_delay_s
from pipeline.work.spans import visited
from pipeline.work.study import ATTEMPTS
from pipeline.work.workers.child import GATE
from pipeline.work.workers.contract import (
    StageCall,
    VisitReply,
    VisitRequest,
    Workers,
)

ACTOR = "flow"
IDLE_S = 1.0
OFFLINE_S = 60.0  # before a file on an absent disk is looked for again
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of one file. Without stages there is nothing to do, and no visit is made.

    `source` is where to read instead of the file's own bytes, for instance its original; `note` is
    what the asking side wants to know when it finishes.
    """

    stages: tuple[StageCall, ...]
    facts: Mapping[str, JsonObject] = field(default_factory=dict)
    timeout_s: float | None = None
    source: LibraryFile | None = None
    note: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a visit; files that were made lie in `reply.workdir`."""

    task: Task
    file: LibraryFile
    asking: Asking
    outcomes: Mapping[str, Outcome]
    reply: VisitReply | None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of asked work.

    `ask` reads what the file is to be asked. `finish` brings the answer to its end: adopts what was
    made, changes the library, records. It raises `Refused` or `BadMedia` when nothing can become
    of it (the task fails with that reason) and `TryLater` when it is to be done again.
    """

    name: str
    ask: Callable[[sqlite3.Connection, Task, LibraryFile], Asking]
    finish: Callable[[Answer], Awaitable[None]]


class Asker:
    """Runs the asked work of one core."""

    def __init__(
        self,
        ledger: Ledger,
        claimer: Claimer,
        workers: Workers,
        library: Path,
        kinds: Sequence[Kind],
        headway: Headway,
    ) -> None:
        self._ledger = ledger
        self._claimer = claimer
        self._workers = workers
        self._library = library
        self._kinds = {kind.name: kind for kind in kinds}
        self._headway = headway
        self._running: dict[str, tuple[Task, asyncio.Task[Answer]]] = {}
        self._visits = 0

    @property
    def loops(self) -> int:
        """How many may work at once."""
        return max(1, self._workers.slots - 1) if self._kinds else 0

    async def run(
        self,
        poked: Callable[[float], Awaitable[None]],
        ended: Callable[[Task], Awaitable[None]],
    ) -> None:
        """Work until cancelled; `poked` waits for new tasks, `ended` is told of each that ended."""
        while True:
            claimed = await self._claimer.claim_asked(list(self._kinds), self._library)
            for task, file in claimed.asked:
                await self._serve(task, file)
                await ended(task)
            if claimed.is_empty:
                await poked(IDLE_S)

    def interrupt(self, concerns: Callable[[Task], bool]) -> None:
        """Stop the visits of these tasks; what is being finished is let run out."""
        for task, running in list(self._running.values()):
            if concerns(task):
                running.cancel()

    async def _serve(self, task: Task, file: LibraryFile | None) -> None:
        """Bring one task to its end, or put it back."""
        now = self._ledger.queue_now()
        if file is None:
            reason = "The file is not in the library any more."
            await self._ledger.write(queue.fail, task.id, "NotFound", reason, now)
            return
        began = unix_ms(self._ledger.clock.now())
        self._headway.begin(task.job_id, file.location.name)
        answer: Answer | None = None
        try:
            answer = await self._interruptible(task, file)
            if answer is None:
                await self._put_back(task, None, "Interrupted", "")
                return
            await self._kinds[task.kind].finish(answer)
            span = self._span(task, file, began, answer, "done")
            await self._ledger.write(_finish, task.id, self._ledger.queue_now(), span)
            self._tell(task, span)
        except DarkroomError as error:
            told = "later" if isinstance(error, TryLater) else "failed"
            await self._settle(task, error)
            span = self._span(task, file, began, answer, told)
            await self._ledger.write(spans.add, [] if span is None else [span])
            self._tell(task, span)
        finally:
            if answer is not None and answer.reply is not None:
                await self._workers.release(answer.reply)

    def _span(
        self, task: Task, file: LibraryFile, began: int, answer: Answer | None, outcome: str
    ) -> NewSpan | None:
        """The visit as a span; None where the file needed none."""
        if answer is not None and answer.reply is None:
            return None
        replies = () if answer is None or answer.reply is None else (answer.reply,)
        period = (began, unix_ms(self._ledger.clock.now()))
        return visited(task, period, file.size, replies, outcome)

    def _tell(self, task: Task, span: NewSpan | None) -> None:
        if span is None:
            self._headway.placed(task.job_id)
        else:
            self._headway.visited(span, is_over=span.outcome == "done")

    async def _interruptible(self, task: Task, file: LibraryFile) -> Answer | None:
        """The answer, or None if somebody paused or cancelled meanwhile."""
        running = asyncio.create_task(self._answer(task, file), name=f"asked: {task.kind}")
        self._running[task.id] = (task, running)
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.wait([running])
            raise
        finally:
            del self._running[task.id]
        return None if running.cancelled() else running.result()

    async def _answer(self, task: Task, file: LibraryFile) -> Answer:
        if task.attempts > ATTEMPTS:  # the core itself ended each time
            raise BadMedia(f"It ended Darkroom {ATTEMPTS} times.", path=file.location)
        asking = await self._ledger.db.read(self._kinds[task.kind].ask, task, file)
        if not asking.stages:
            return Answer(task, file, asking, {}, None)
        source = asking.source or file
        reply = await self._workers.visit(await self._request(task, source, asking))
        began = unix_ms(self._ledger.clock.now()) - round(reply.wall_ms)
        reply = replace(reply, began_ms=began)
        try:
            _require_same_bytes(source, reply.outcomes[GATE])
            _require_now(reply.outcomes)
        except DarkroomError:
            await self._workers.release(reply)
            raise
        outcomes = {call.name: reply.outcomes[call.name] for call in asking.stages}
        return Answer(task, file, asking, outcomes, reply)

    async def _request(self, task: Task, file: LibraryFile, asking: Asking) -> VisitRequest:
        try:
            seen = await asyncio.to_thread(file.location.stat, follow_symlinks=False)
        except OSError as error:
            raise await self._absent(file) from error
        gate = () if any(call.name == GATE for call in asking.stages) else (StageCall(GATE),)
        self._visits += 1
        return VisitRequest(
            visit_id=f"asked-{task.id}-{self._visits}",
            path=file.location,
            name=file.location.name,
            size=seen.st_size,
            mtime_ns=seen.st_mtime_ns,
            inode=seen.st_ino,
            stages=(*gate, *asking.stages),
            facts=asking.facts,
            timeout_s=asking.timeout_s,
        )

    async def _absent(self, file: LibraryFile) -> DarkroomError:
        health = await roots.check(self._ledger.db, self._ledger.clock, file.root_id, actor=ACTOR)
        if not isinstance(health, roots.Online):
            return TryLater(health.reason, after_s=OFFLINE_S)
        return Refused(
            "The file is not in its place.",
            path=file.location,
            hint="darkroom verify looks for what is missing.",
        )

    async def _settle(self, task: Task, error: DarkroomError) -> None:
        """Again later, or given up: by whose fault it was."""
        match error:
            case TryLater():
                after_s = retry_delay_s(task.attempts, error.after_s)
                await self._put_back(task, after_s, error.code, str(error))
            case BadMedia() if task.attempts < ATTEMPTS:
                await self._put_back(task, 0.0, error.code, str(error), counts=True)
            case Broken():
                _log.error("asked work is broken", kind=task.kind, reason=str(error))
                await self._fail(task, error)
            case _:
                await self._fail(task, error)

    async def _fail(self, task: Task, error: DarkroomError) -> None:
        now = self._ledger.queue_now()
        await self._ledger.write(queue.fail, task.id, error.code, str(error), now)

    async def _put_back(
        self, task: Task, after_s: float | None, code: str, reason: str, *, counts: bool = False
    ) -> None:
        until = None if after_s is None else self._ledger.time.text(after_s)
        await self._ledger.write(
            queue.retry,
            task.id,
            until,
            code,
            reason,
            at=self._ledger.queue_now(),
            is_blameless=not counts,
        )


def _finish(con: sqlite3.Connection, task_id: str, at: str, span: NewSpan | None) -> None:
    queue.finish(con, task_id, at)
    if span is not None:
        spans.add(con, [span])


def _require_same_bytes(file: LibraryFile, gate: Outcome) -> None:
    if isinstance(gate, Later):
        raise TryLater(gate.why, after_s=gate.after_s)
    if not isinstance(gate, Done) or gate.facts["sha256"] != file.sha256:
        raise Refused(
            "This file is not what it was when it was taken in; nothing was made of it.",
            path=file.location,
            hint="darkroom verify tells more; a copy may be in a backup.",
        )


def _require_now(outcomes: Mapping[str, Outcome]) -> None:
    for outcome in outcomes.values():
        if isinstance(outcome, Later):
            raise TryLater(outcome.why, after_s=outcome.after_s)


def made_of(answer: Answer, stage: str) -> Done:
    """The stage's result. Raises `Refused` with its reason where it made nothing."""
    outcome = answer.outcomes[stage]
    if isinstance(outcome, Done):
        return outcome
    why = outcome.why if not isinstance(outcome, Reject) else f"It is damaged: {outcome.why}"
    raise Refused(why, path=answer.file.location)
