"""What a visit looks like as a span: when it began, where it ran, and each of its stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.model import Done, Later, Outcome, Reject
from pipeline.state.queue import Task
from pipeline.state.spans import NewSpan, StageSpan
from pipeline.work.study import Casualty, Interrupted, Postponed, Refusal, Study, Verdict
from pipeline.work.workers.contract import VisitReply


def span_of(study: Study) -> NewSpan | None:
    """The study as a span; None where nothing was visited, or somebody interrupted it."""
    if isinstance(study.verdict, Interrupted) or not study.ended_ms:
        return None
    period = (study.began_ms, study.ended_ms)
    return visited(study.task, period, study.file.size, study.replies, _told(study.verdict))


def visited(
    task: Task,
    period: tuple[int, int],
    size: int,
    replies: Sequence[VisitReply],
    outcome: str,
) -> NewSpan:
    """What a task's visits were, `period` being their beginning and end in unix milliseconds."""
    began = min((reply.began_ms for reply in replies), default=period[0])
    return NewSpan(
        began_ms=began,
        ended_ms=period[1],
        job_id=task.job_id,
        task_id=task.id,
        file_id=task.file_id,
        owner_id=task.owner_id,
        kind=task.kind,
        slot=replies[-1].slot if replies else 0,
        cpu_ms=round(sum(reply.cpu_s for reply in replies) * 1000),
        bytes=size,
        outcome=outcome,
        stages=tuple(_stages(replies, began)),
    )


def _stages(replies: Sequence[VisitReply], began_ms: int) -> Iterator[StageSpan]:
    for reply in replies:
        offset = reply.began_ms - began_ms
        for time in reply.times:
            start, wall, cpu = (
                round(offset + time.start_ms),
                round(time.wall_ms),
                round(time.cpu_ms),
            )
            told = _word(reply.outcomes[time.stage])
            yield StageSpan(time.stage, start, wall, cpu, told)


def _word(outcome: Outcome) -> str:
    match outcome:
        case Done():
            return "done"
        case Later():
            return "later"
        case Reject():
            return "reject"
    return "skip"


def _told(verdict: Verdict) -> str:
    match verdict:
        case Postponed():
            return "later"
        case Casualty():
            return "failed"
        case Refusal():
            return "refused"
    return "done"
