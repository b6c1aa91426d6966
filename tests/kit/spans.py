"""Visits as spans, made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.state.spans import NewSpan, StageSpan

NOW_MS = 1_700_000_000_000
STAGES = (StageSpan("hash", 0, 12, 11, "done"), StageSpan("facts", 12, 3, 2, "skip"))
SPAN = NewSpan(
    began_ms=NOW_MS,
    ended_ms=NOW_MS + 1000,
    job_id="job",
    task_id="task",
    file_id="file",
    owner_id="owner",
    kind="visit",
    slot=1,
    cpu_ms=14,
    bytes=2048,
    outcome="done",
    stages=STAGES,
)


def span(began_s: float = 0, ended_s: float = 1, **more: Any) -> NewSpan:
    """A visit between two moments after `NOW_MS`; `more` are fields."""
    began, ended = (NOW_MS + int(seconds * 1000) for seconds in (began_s, ended_s))
    return replace(SPAN, began_ms=began, ended_ms=ended, **more)
