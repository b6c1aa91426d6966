"""What the flow did since it started, for progress. Counts files, not tasks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.work.record import Next


@dataclass(slots=True)
class Tally:
    """Only ever grows; read it at any time."""

    studied: int = 0
    placed: int = 0
    duplicates: int = 0
    rejected: int = 0
    failed: int = 0
    retried: int = 0
    visit_cpu_s: float = 0.0

    def note(self, following: Iterable[Next]) -> None:
        """Count what a batch of recordings led to."""
        for step in following:
            self.studied += step.is_studied
            self.duplicates += step.is_duplicate
            self.retried += step.is_repeated
            self.rejected += step.rejected is not None
            self.failed += step.is_failed
