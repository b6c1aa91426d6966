"""Studying files of the library again, when the program learnt something since: new stages, new
versions of them, or a model that was not there.

Only what is not known of the same bytes is asked. Facts and derivatives are renewed; where the
file lies, and what a person said about it, stays.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from collections.abc import Mapping, Sequence

from pipeline.clock import Clock, timestamp
from pipeline.events import FileStudied
from pipeline.metadata.columns import columns
from pipeline.metadata.facts import Facts
from pipeline.model import Done, Home, JsonObject
from pipeline.state import asked, events, studies
from pipeline.state.asked import LibraryFile
from pipeline.state.connection import Database
from pipeline.state.queue import Task
from pipeline.state.studies import Derivative, Result
from pipeline.work import adopt
from pipeline.work.asked import Answer, Asking, Kind
from pipeline.work.record import ACTOR, FACTS_STAGE, Keep, Known, settle_bundles
from pipeline.work.study import DueStage, MadeFile, facts_of, results_of
from pipeline.work.workers.contract import StageCall

KIND = "restudy"


def kind(
    db: Database, clock: Clock, home: Home, stages: Sequence[DueStage], keep: Keep, mark: str
) -> Kind:
    """The kind of asked work; `keep` and `mark` as for new files."""
    by_name = {stage.name: stage for stage in stages}
    recording = _Recording(by_name, keep, mark)
    return Kind(
        KIND,
        functools.partial(_ask, by_name),
        functools.partial(_finish, db, clock, home, recording),
    )


def _ask(
    stages: Mapping[str, DueStage], con: sqlite3.Connection, _: Task, file: LibraryFile
) -> Asking:
    versions = {stage.name: stage.version for stage in stages.values()}
    known = {result.stage: result for result in studies.results(con, file.sha256, versions)}
    due = tuple(StageCall(s.name, s.params) for s in stages.values() if s.name not in known)
    return Asking(due, {r.stage: r.facts for r in known.values() if r.outcome == "done"})


async def _finish(
    db: Database, clock: Clock, home: Home, recording: _Recording, answer: Answer
) -> None:
    derivatives = await asyncio.to_thread(_adopted, home, recording.stages, answer)
    await db.write(recording.record, answer, derivatives, timestamp(clock.now()))


def _adopted(home: Home, stages: Mapping[str, DueStage], answer: Answer) -> list[Derivative]:
    if answer.reply is None:
        return []
    made = (
        MadeFile(one, stages[name].version, answer.reply)
        for name, outcome in answer.outcomes.items()
        if isinstance(outcome, Done)
        for one in outcome.made
    )
    kept = (adopt.adopt(home.cache, answer.file.sha256, file) for file in made)
    return [derivative for derivative in kept if derivative is not None]


class _Recording:
    """What an answer means for the state."""

    def __init__(self, stages: Mapping[str, DueStage], keep: Keep, mark: str) -> None:
        self.stages = stages
        self._versions = {stage.name: stage.version for stage in stages.values()}
        self._keep = keep
        self._mark = mark

    def record(
        self, con: sqlite3.Connection, answer: Answer, made: Sequence[Derivative], at: str
    ) -> None:
        """One transaction: results, facts, what others keep of them, and the mark."""
        file = answer.file
        fresh: list[Result] = list(results_of(answer.outcomes, self._versions))
        studies.remember(con, file.sha256, fresh, made, at)
        found = facts_of(answer.outcomes)
        if FACTS_STAGE in found:
            self._relearn(con, file, found[FACTS_STAGE], at)
        facts: dict[str, JsonObject] = {**answer.asking.facts, **found}
        self._keep(con, Known(file.owner_id, file.id, facts, self._versions), at)
        if fresh:
            event = FileStudied(file.id, file.sha256, file.format)
            events.append(con, event, actor=ACTOR, at=at)
        asked.mark(con, [file.id], self._mark)

    def _relearn(
        self, con: sqlite3.Connection, file: LibraryFile, facts: JsonObject, at: str
    ) -> None:
        studies.relearn(con, file.id, facts, columns(Facts.from_json(facts)))
        settle_bundles(con, [file.id], at)
