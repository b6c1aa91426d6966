"""How jobs, their progress and what ran when are told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pipeline.clock import timestamp
from pipeline.service import news
from pipeline.service.answers import Job, Progress, Span, StageSpan
from pipeline.service.timeline import Window
from web.contract import Given
from web.paging import cursor_of


class JobView(Given):
    """One job."""

    id: str
    job_type: str
    status: str
    progress: float
    file_count: int
    processed_count: int
    error_count: int
    created_at: str
    started_at: str | None
    completed_at: str | None
    actor: str
    error: str | None

    @classmethod
    def of(cls, job: Job) -> JobView:
        """As it stands in the state."""
        return cls.model_validate(job)


class ProgressView(Given):
    """How far a job is; null where it cannot be known."""

    job_id: str
    total: int
    processed: int
    studied: int
    errors: int
    stages: dict[str, int]
    current: str
    bytes_total: int
    bytes_done: int
    share: float
    files_per_s: float | None
    bytes_per_s: float | None
    left_s: float | None
    why: str | None
    is_over: bool

    @classmethod
    def of(cls, progress: Progress) -> ProgressView:
        """As the board tells it."""
        return cls.model_validate(news.progress_json(progress))


class StageView(Given):
    """One stage of a visit; `start_ms` counts from the visit's beginning."""

    stage: str
    start_ms: int
    wall_ms: int
    cpu_ms: int
    outcome: str


class SpanView(Given):
    """One visit of one file in a worker."""

    id: int
    began_at: str
    ended_at: str
    job_id: str | None
    file_id: str
    kind: str
    slot: int
    cpu_ms: int
    bytes: int
    outcome: str
    stages: list[StageView]


class TimelineView(Given):
    """What ran between two moments: its jobs, and its visits by their end."""

    since: str
    until: str
    jobs: list[JobView]
    spans: list[SpanView]
    next: str | None

    @classmethod
    def of(cls, window: Window) -> TimelineView:
        """A page of a window."""
        return cls(
            since=timestamp(window.since),
            until=timestamp(window.until),
            jobs=[JobView.of(job) for job in window.jobs],
            spans=spans_view(window.spans),
            next=None if window.following is None else cursor_of([window.following]),
        )


def spans_view(spans: Iterable[Span]) -> list[SpanView]:
    """Visits as they are told."""
    return [SpanView.model_validate(_told(span)) for span in spans]


def _told(span: Span) -> dict[str, Any]:
    return {
        "id": span.id,
        "began_at": _moment(span.began_ms),
        "ended_at": _moment(span.ended_ms),
        "job_id": span.job_id,
        "file_id": span.file_id,
        "kind": span.kind,
        "slot": span.slot,
        "cpu_ms": span.cpu_ms,
        "bytes": span.bytes,
        "outcome": span.outcome,
        "stages": [_stage(stage) for stage in span.stages],
    }


def _stage(one: StageSpan) -> dict[str, Any]:
    """As a dict: of a page's thousand stages attributes would be read slowly."""
    return {
        "stage": one.stage,
        "start_ms": one.start_ms,
        "wall_ms": one.wall_ms,
        "cpu_ms": one.cpu_ms,
        "outcome": one.outcome,
    }


def _moment(unix_ms: int) -> str:
    return timestamp(datetime.fromtimestamp(unix_ms / 1000, UTC))
