"""How much was done since the start, and how long each stage took: for graphs, not for decisions.

Durations are kept as counts by size, a fifth apart, so that those of many intervals can be added
up and still tell a median.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipeline.state.spans import NewSpan

STEPS = 4  # sizes to a doubling


@dataclass(slots=True)
class Durations:
    """Of one stage, say: how often it ran, for how long in all, and the counts by size."""

    count: int = 0
    wall_ms: int = 0
    sizes: Counter[int] = field(default_factory=Counter)

    def note(self, wall_ms: int) -> None:
        """It ran once more."""
        self.count += 1
        self.wall_ms += wall_ms
        self.sizes[size_of(wall_ms)] += 1

    def copy(self) -> Durations:
        """As they stand now."""
        return Durations(self.count, self.wall_ms, self.sizes.copy())


@dataclass(slots=True)
class Meter:
    """Only ever grows; read it at any time."""

    files: int = 0
    bytes: int = 0
    failed: int = 0
    cpu_ms: int = 0
    stages: dict[str, Durations] = field(default_factory=dict)
    lag: Durations = field(default_factory=Durations)  # of the event loop

    def copy(self) -> Meter:
        """As it stands now."""
        stages = {name: one.copy() for name, one in self.stages.items()}
        return replace(self, stages=stages, lag=self.lag.copy())

    def note(self, span: NewSpan) -> None:
        """A file was visited."""
        self.cpu_ms += span.cpu_ms
        if span.outcome == "done":
            self.files += 1
            self.bytes += span.bytes
        elif span.outcome != "later":
            self.failed += 1
        for stage in span.stages:
            self.stages.setdefault(stage.stage, Durations()).note(stage.wall_ms)


def size_of(wall_ms: float) -> int:
    """The number of the size that a duration belongs to."""
    return round(STEPS * math.log2(max(1.0, wall_ms)))


def quantile(sizes: Mapping[int, int], share: float) -> float | None:
    """The duration, in milliseconds, that `share` of all are not longer than; a tenth about."""
    total = sum(sizes.values())
    seen = 0
    for size in sorted(sizes):
        seen += sizes[size]
        if seen >= share * total:
            return round(duration_of(size), 1)
    return None


def duration_of(size: int) -> float:
    """The milliseconds in the middle of a size."""
    return float(2 ** (size / STEPS))
