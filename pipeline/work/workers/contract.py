"""The promise between the flow and whatever runs a visit, and its JSON.

A request and its reply are one JSON line each, at most `LINE_LIMIT` bytes. Replies come from a
process that decodes hostile media: `reply_from_json` accepts exactly the stages that were asked
for, plain file names, known outcomes, and nothing else. Never pickle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipeline.errors import DecodeFailed
from pipeline.model import JsonObject, Outcome

LINE_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class StageCall:
    """One due stage of a visit with its parameters."""

    name: str
    params: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VisitRequest:
    """One trip of one file into a worker. `facts` are results of earlier visits, by stage."""

    visit_id: str
    path: Path  # absolute
    name: str  # the file's own name as found, for hints from names and extensions
    size: int
    mtime_ns: int
    inode: int
    stages: tuple[StageCall, ...]
    facts: Mapping[str, JsonObject] = field(default_factory=dict)
    timeout_s: float | None = None  # of this visit; None: as the workers allow by its size


@dataclass(frozen=True, slots=True)
class StageTime:
    """When a stage ran, in milliseconds since its visit began, and the CPU it took."""

    stage: str
    start_ms: float
    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class VisitReply:
    """What came back. `made` files lie in `workdir` until adopted; `released()` empties it.

    `times` are of the stages that ran; a stage that is not for the file's kind did not.
    """

    visit_id: str
    outcomes: Mapping[str, Outcome]
    format: str | None  # name in the table of formats, as the worker saw the content
    workdir: Path
    cpu_s: float = 0.0
    peak_rss: int = 0
    wall_ms: float = 0.0
    times: tuple[StageTime, ...] = ()
    slot: int = 0
    began_ms: int = 0  # unix time, by the clock of whoever asked


class WorkerKilled(DecodeFailed):
    """The child got SIGKILL, which no decoder sends itself: the kernel or a person may have.

    It is blamed on the file more slowly than a crash.
    """


class Workers(Protocol):
    """Runs visits somewhere. Implementations own their processes and kill them on close."""

    @property
    def slots(self) -> int:
        """How many visits may run at once."""
        ...

    async def visit(self, request: VisitRequest) -> VisitReply:
        """Run one visit.

        Raises `BadMedia` when the visit's own child died, hung or broke the protocol (the caller
        counted the attempt already), `TryLater` when no child can be had now.
        """
        ...

    async def release(self, reply: VisitReply) -> None:
        """The reply's files were adopted or are not wanted: its work directory may be reused."""
        ...
