"""What a study means for the state, as one change: facts, results, events, and what comes next.

`record` runs in the writer's thread, inside one transaction with the other studies of its batch.
It never trusts that a content is new; it looks, and the unique index stands behind it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.events import (
    Event,
    FileDamaged,
    FileDuplicate,
    FileMissing,
    FileRejected,
    FileStudied,
)
from pipeline.intake import joining, kind
from pipeline.metadata.columns import columns
from pipeline.metadata.facts import Facts
from pipeline.metadata.merge import merge
from pipeline.model import BundleRole, Category, FileState, JsonObject
from pipeline.state import events, queue, spans, studies
from pipeline.state.queue import Task
from pipeline.state.studies import Derivative, Learnt, Result, StudyFile
from pipeline.work.queue import QueueTime
from pipeline.work.spans import span_of
from pipeline.work.study import Casualty, Interrupted, Postponed, Read, Refusal, Study

ACTOR = "flow"
FACTS_STAGE = "facts"
FORBIDDEN = "Darkroom may not read this file. Give it the right to, and let it look again."
_CHANGES_BUNDLES = frozenset({FileState.STUDIED, FileState.DUPLICATE, FileState.REJECTED})
CASUALTY_S = 0.5  # before a file that cost a worker is tried again
BUNDLE_WAIT_S = 60.0  # then a studied file asks again whether its bundle is complete


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one file once it was studied: facts and versions by stage."""

    owner_id: str
    file_id: str
    facts: Mapping[str, JsonObject]
    versions: Mapping[str, int]


Keep = Callable[[sqlite3.Connection, Known, str], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """One study with what was done outside the state: derivatives kept, or a source gone."""

    study: Study
    derivatives: Sequence[Derivative] = ()
    seen: tuple[int, int, int] | None = None  # size, mtime_ns, inode now, where it was postponed
    is_gone: bool = False
    is_forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Next:
    """What a recording leads to: a task that goes on to `place`, a file for the quarantine."""

    to_place: Task | None = None
    rejected: str | None = None
    is_studied: bool = False
    is_duplicate: bool = False
    is_repeated: bool = False
    is_failed: bool = False


@dataclass(frozen=True, slots=True)
class Recorder:
    """What recording needs besides the study.

    `keep(con, known, at)` hands what was found on to those who search and compare it; `mark`
    stands for the stages that every file is studied with.
    """

    time: QueueTime
    keep: Keep
    versions: Mapping[str, int]
    mark: str

    def record_all(
        self, con: sqlite3.Connection, recordings: Sequence[Recording], at: str
    ) -> list[Next]:
        """Record a batch; bundles are confirmed once, when all of the batch is known."""
        settled = [(r, self._record(con, r, at)) for r in recordings]
        told = (span_of(recording.study) for recording in recordings)
        spans.add(con, [one for one in told if one is not None])
        fresh = [r.study.file.id for r, state in settled if state in _CHANGES_BUNDLES]
        if fresh:
            joining.confirm(con, fresh, at)
        return [self._go_on(con, recording, state) for recording, state in settled]

    def _record(self, con: sqlite3.Connection, recording: Recording, at: str) -> FileState | None:
        """Change the file as the verdict says; its new state, or None if it stays as it is."""
        study = recording.study
        match study.verdict:
            case Read() as read:
                return self._learn(con, study.file, read, recording.derivatives, at)
            case Refusal(reason):
                return _reject(con, study.file, reason, at)
            case Postponed() if recording.is_gone:
                return _lose(con, study.file, at)
            case Postponed(_, _, read):
                if read is not None:
                    studies.remember(con, read.sha256, read.results, recording.derivatives, at)
                elif recording.seen is not None:
                    studies.seen_anew(con, study.file.id, *recording.seen, at)
            case Casualty(reason, most) if study.task.attempts >= most:
                return _reject(con, study.file, f"It failed {most} times. {reason}", at)
            case Casualty() | Interrupted():
                pass
        return None

    def _learn(
        self,
        con: sqlite3.Connection,
        file: StudyFile,
        read: Read,
        derivatives: Sequence[Derivative],
        at: str,
    ) -> FileState | None:
        studies.remember(con, read.sha256, read.results, derivatives, at)
        told = kind.FORMATS.get(read.format or file.format or "")
        if told is None:
            return _reject(con, file, "It is no kind of file Darkroom keeps.", at)
        facts = read.facts.get(FACTS_STAGE, {})
        learnt = Learnt(
            sha256=read.sha256,
            format=told.name,
            category=told.category,
            mime=told.mime,
            facts=facts,
            columns=columns(Facts.from_json(facts)),
            damage=_damage(read.results),
            study_mark=self.mark,
        )
        twin = None
        if told.category is not Category.SIDECAR:
            twin = studies.alive_twin(con, file.owner_id, read.sha256, but=file.id)
        if twin is not None:
            if studies.duplicate(con, file.id, learnt, twin, at):
                _tell(con, FileDuplicate(file.id, twin), at)
            return FileState.DUPLICATE
        if studies.studied(con, file.id, learnt, at):
            self.keep(con, Known(file.owner_id, file.id, read.facts, self.versions), at)
            _tell(con, FileStudied(file.id, read.sha256, told.name), at)
            if learnt.damage is not None:
                _tell(con, FileDamaged(file.id, learnt.damage), at)
        return FileState.STUDIED

    def _go_on(
        self, con: sqlite3.Connection, recording: Recording, state: FileState | None
    ) -> Next:
        """End the task, repeat it, or let it go on to placing."""
        study, now = recording.study, self.time.text()
        task = study.task
        match state:
            case FileState.STUDIED:
                return self._on_to_place(con, study, now)
            case FileState.REJECTED:
                queue.fail(con, task.id, "BadMedia", _reason(study), now)
            case None if recording.is_forbidden:
                queue.fail(con, task.id, "Refused", FORBIDDEN, now)
                return Next(is_failed=True)
            case None:
                self._repeat(con, study, now)
                return Next(is_repeated=True)
            case _:
                queue.finish(con, task.id, now)
        queue.wake_placing(con, task.file_id)
        return Next(
            rejected=task.file_id if state is FileState.REJECTED else None,
            is_duplicate=state is FileState.DUPLICATE,
        )

    def _on_to_place(self, con: sqlite3.Connection, study: Study, now: str) -> Next:
        if studies.waits_for_bundle(con, study.file.id):
            until = self.time.text(BUNDLE_WAIT_S)
            queue.hand_on(con, study.task.id, "place", until, now)
            return Next(is_studied=True)
        goes_on = queue.hand_on(con, study.task.id, "place", None, now)
        queue.wake_placing(con, study.file.id)
        return Next(to_place=study.task if goes_on else None, is_studied=True)

    def _repeat(self, con: sqlite3.Connection, study: Study, now: str) -> None:
        task = study.task
        match study.verdict:
            case Postponed(after_s, reason):
                until = self.time.text(after_s)
                queue.retry(con, task.id, until, "TryLater", reason, at=now, is_blameless=True)
            case Casualty(reason=reason):
                until = self.time.text(CASUALTY_S)
                queue.retry(con, task.id, until, "BadMedia", reason, at=now)
            case _:
                queue.retry(con, task.id, None, "Interrupted", "", at=now, is_blameless=True)


def settle_bundles(con: sqlite3.Connection, file_ids: Sequence[str], at: str) -> None:
    """What the members of these files' bundles know together becomes what their primary shows."""
    found = studies.bundle_facts(con, file_ids)
    for _, group in groupby(found, key=lambda member: member.bundle_id):
        members = list(group)
        primary = next((m for m in members if m.role is BundleRole.PRIMARY), None)
        if primary is None or len(members) == 1:
            continue
        merged = merge([(m.role, Facts.from_json(m.facts)) for m in members])
        studies.set_columns(con, primary.file_id, columns(merged), at)


def _reject(con: sqlite3.Connection, file: StudyFile, reason: str, at: str) -> FileState:
    if studies.end(con, file.id, FileState.REJECTED, reason, at):
        _tell(con, FileRejected(file.id, reason), at)
    return FileState.REJECTED


def _lose(con: sqlite3.Connection, file: StudyFile, at: str) -> FileState:
    reason = "It was gone before it could be read."
    if studies.end(con, file.id, FileState.MISSING, reason, at):
        _tell(con, FileMissing(file.id, str(file.source)), at)
    return FileState.MISSING


def _reason(study: Study) -> str:
    match study.verdict:
        case Refusal(reason) | Casualty(reason=reason):
            return reason
    return "It is no kind of file Darkroom keeps."


def _damage(results: Sequence[Result]) -> str | None:
    """What a stage other than the gate refused: the file is kept and flagged."""
    refused = (str(r.facts.get("why", "")) for r in results if r.outcome == "reject")
    return next(refused, None)


def _tell(con: sqlite3.Connection, event: Event, at: str) -> None:
    events.append(con, event, actor=ACTOR, at=at)
