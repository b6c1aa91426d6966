"""One file's visit, or two, turned into a verdict: what the worker said, and what it means.

Where another file of the same size is known, the hash is asked for first; a content that is known
already needs no second visit, and results remembered for the same bytes are sent along instead of
asked for again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.clock import Clock, unix_ms
from pipeline.errors import BadMedia, TryLater
from pipeline.model import Done, JsonObject, Later, Made, Outcome, Reject, Skip
from pipeline.state import studies
from pipeline.state.connection import Database
from pipeline.state.queue import Task
from pipeline.state.studies import Result, StudyFile
from pipeline.work.twins import Twins
from pipeline.work.workers.child import GATE, NOT_FOR_THIS_KIND
from pipeline.work.workers.contract import (
    StageCall,
    VisitReply,
    VisitRequest,
    WorkerKilled,
    Workers,
)

ATTEMPTS = 3  # a file that costs so many workers is rejected
KILLED_ATTEMPTS = 9  # where somebody else may have killed them


@dataclass(frozen=True, slots=True)
class DueStage:
    """A stage the flow asks for, in the version this program has."""

    name: str
    version: int
    params: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A derivative that waits in a worker's directory, by the stage version that made it."""

    made: Made
    version: int
    reply: VisitReply


@dataclass(frozen=True, slots=True)
class Read:
    """The visit went well; `results` are new, `facts` are all there are, by stage."""

    sha256: str
    format: str | None
    facts: Mapping[str, JsonObject]
    results: tuple[Result, ...]
    made: tuple[MadeFile, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The file is bad: it will not be placed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """Not the file's fault; look at it again after `after_s` seconds, as it is then.

    `read` is what could be learnt already and need not be asked again.
    """

    after_s: float
    reason: str
    read: Read | None = None


@dataclass(frozen=True, slots=True)
class Casualty:
    """The worker died, hung or spoke nonsense: this attempt counts."""

    reason: str
    most_attempts: int = ATTEMPTS


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Somebody paused or cancelled; the attempt does not count."""


Verdict = Read | Refusal | Postponed | Casualty | Interrupted


@dataclass(frozen=True, slots=True)
class Study:
    """A claimed task, its file, and what came of the visit; times are unix milliseconds."""

    task: Task
    file: StudyFile
    verdict: Verdict
    replies: tuple[VisitReply, ...] = ()
    began_ms: int = 0
    ended_ms: int = 0  # 0: nothing was visited


class Student:
    """Sends files to the workers; holds what every visit needs."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        workers: Workers,
        stages: Sequence[DueStage],
        twins: Twins,
    ) -> None:
        prefix = secrets.token_hex(6)  # an earlier flow's work directories may still be there
        self._db = db
        self._clock = clock
        self._visits = (f"{prefix}-{number}" for number in itertools.count(1))
        self._workers = workers
        self._twins = twins
        self._stages = {stage.name: stage for stage in stages}
        self._versions = {stage.name: stage.version for stage in stages}

    async def study(self, task: Task, file: StudyFile) -> Study:
        """Visit the file. Every failure that concerns the file becomes a verdict."""
        visits: list[VisitReply] = []
        began = unix_ms(self._clock.now())
        try:
            verdict = await self._verdict(file, visits)
        except TryLater as error:
            verdict = Postponed(error.after_s, error.message)
        except WorkerKilled as error:
            verdict = Casualty(error.message, KILLED_ATTEMPTS)
        except BadMedia as error:
            verdict = Casualty(error.message)
        return Study(task, file, verdict, tuple(visits), began, unix_ms(self._clock.now()))

    async def _verdict(self, file: StudyFile, visits: list[VisitReply]) -> Verdict:
        if file.sha256 is not None:
            return await self._rest(file, file.sha256, {}, visits)
        may_be_known = file.has_twin_size or self._twins.has_earlier(file)
        first = [GATE] if may_be_known else list(self._stages)
        outcomes = await self._visit(file, first, {}, visits)
        gate = outcomes[GATE]
        if not isinstance(gate, Done):
            return _refused(gate)
        sha256 = str(gate.facts["sha256"])
        self._twins.tell(file, sha256)
        if not may_be_known:
            return self._read(sha256, outcomes, (), visits)
        await self._twins.settled(file, sha256)
        twin = await self._db.read(_twin, file, sha256)
        if twin is not None:
            return self._read(sha256, outcomes, (), visits)
        return await self._rest(file, sha256, outcomes, visits)

    async def _rest(
        self,
        file: StudyFile,
        sha256: str,
        had: Mapping[str, Outcome],
        visits: list[VisitReply],
    ) -> Verdict:
        """Ask for what is not known of these bytes yet."""
        earlier = await self._db.read(studies.results, sha256, self._versions)
        known = {result.stage for result in earlier} | had.keys()
        due = [name for name in self._stages if name not in known]
        if not due:
            return self._read(sha256, had, earlier, visits)
        facts = {r.stage: r.facts for r in earlier if r.outcome == "done"} | facts_of(had)
        outcomes = await self._visit(file, due, facts, visits)
        return self._read(sha256, {**had, **outcomes}, earlier, visits)

    async def _visit(
        self,
        file: StudyFile,
        names: Sequence[str],
        facts: Mapping[str, JsonObject],
        visits: list[VisitReply],
    ) -> Mapping[str, Outcome]:
        request = VisitRequest(
            visit_id=next(self._visits),
            path=file.source,
            name=file.source.name,
            size=file.size,
            mtime_ns=file.mtime_ns,
            inode=file.inode,
            stages=tuple(StageCall(name, self._stages[name].params) for name in names),
            facts=facts,
        )
        reply = await self._workers.visit(request)
        began = unix_ms(self._clock.now()) - round(reply.wall_ms)
        visits.append(replace(reply, began_ms=began))
        return reply.outcomes

    def _read(
        self,
        sha256: str,
        outcomes: Mapping[str, Outcome],
        earlier: Sequence[Result],
        visits: Sequence[VisitReply],
    ) -> Verdict:
        read = Read(
            sha256=sha256,
            format=visits[-1].format if visits else None,
            facts={r.stage: r.facts for r in earlier if r.outcome == "done"} | facts_of(outcomes),
            results=tuple(results_of(outcomes, self._versions)),
            made=tuple(self._made(visits)),
        )
        later = next((o for o in outcomes.values() if isinstance(o, Later)), None)
        return read if later is None else Postponed(later.after_s, later.why, read)

    def _made(self, visits: Sequence[VisitReply]) -> list[MadeFile]:
        return [
            MadeFile(made, self._versions[stage], reply)
            for reply in visits
            for stage, outcome in reply.outcomes.items()
            if isinstance(outcome, Done)
            for made in outcome.made
        ]


def _twin(con: sqlite3.Connection, file: StudyFile, sha256: str) -> str | None:
    return studies.alive_twin(con, file.owner_id, sha256, but=file.id)


def _refused(gate: Outcome) -> Verdict:
    match gate:
        case Later(after_s, why):
            return Postponed(after_s, why)
        case Reject(why) | Skip(why):
            return Refusal(why)
        case Done():
            raise AssertionError("a gate that opened refuses nothing")


def mark_of(stages: Sequence[DueStage], models: Path) -> str:
    """What a file was studied with, as one word: the stages in their versions, and the models."""
    present = sorted(path.name for path in models.iterdir()) if models.is_dir() else []
    told = [sorted(f"{stage.name}:{stage.version}" for stage in stages), present]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def facts_of(outcomes: Mapping[str, Outcome]) -> dict[str, JsonObject]:
    """What the stages that did their work found, by stage."""
    return {name: o.facts for name, o in outcomes.items() if isinstance(o, Done)}


def results_of(outcomes: Mapping[str, Outcome], versions: Mapping[str, int]) -> Iterator[Result]:
    """What is worth remembering: not that a stage is for another kind, and nothing unfinished."""
    for name, outcome in outcomes.items():
        match outcome:
            case Done(facts):
                yield Result(name, versions[name], "done", facts)
            case Reject(why):
                yield Result(name, versions[name], "reject", {"why": why})
            case Skip(why, is_final) if is_final and why != NOT_FOR_THIS_KIND:
                yield Result(name, versions[name], "skip", {"why": why})
