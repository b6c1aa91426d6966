"""What is in a picture, wherever it lies: the stages of a visit, without library or state.

Nothing is kept. The picture is read in a worker like any other, and one that cannot be read has an
`error`, never an exception.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engine import worker_settings
from pipeline.errors import BadMedia, TryLater
from pipeline.model import Done, Home, JsonObject, Outcome, Reject
from pipeline.registry import discover
from pipeline.work.workers import local
from pipeline.work.workers.child import GATE, NOT_FOR_THIS_KIND
from pipeline.work.workers.contract import StageCall, VisitRequest, Workers

if TYPE_CHECKING:
    from config.settings import Settings

CONTENT = ("faces", "objects", "scene", "quality", "kind", "text", "sensitive")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was seen, by stage; what was not looked for, and why; and why nothing could be seen."""

    facts: Mapping[str, JsonObject] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


Analyse = Callable[[Path, Sequence[str]], Awaitable[Analysis]]


@asynccontextmanager
async def open_analyst(settings: Settings, home: Home) -> AsyncIterator[Analyse]:
    """A worker for as long as the context is open, with the models of `home`."""
    own = worker_settings(settings, home, slots=1)
    numbers = itertools.count(1)
    with tempfile.TemporaryDirectory(prefix="darkroom-analysis-") as folder:
        async with local.open_workers(own, Path(folder) / "work") as workers:

            async def analyse(path: Path, names: Sequence[str]) -> Analysis:
                return await _analyse(workers, f"analysis-{next(numbers)}", path, names)

            yield analyse


async def _analyse(workers: Workers, visit_id: str, path: Path, names: Sequence[str]) -> Analysis:
    try:
        seen = await asyncio.to_thread(path.stat)
    except OSError as error:
        return Analysis(error=f"{path} cannot be read: {error.strerror}")
    request = VisitRequest(
        visit_id=visit_id,
        path=path,
        name=path.name,
        size=seen.st_size,
        mtime_ns=seen.st_mtime_ns,
        inode=seen.st_ino,
        stages=tuple(StageCall(name) for name in _with_needed(names)),
    )
    try:
        reply = await workers.visit(request)
    except (BadMedia, TryLater) as error:
        return Analysis(error=error.message)
    await workers.release(reply)
    return _analysis(reply.outcomes, names)


def _with_needed(names: Sequence[str]) -> list[str]:
    """The stages with those whose facts they read, the gate first."""
    stages = {stage.name: stage for stage in discover("pipeline.stages", "STAGE")}
    needed = {GATE}
    waiting = [name for name in names if name in stages]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [after for after in stages[name].after if after in stages]
    return sorted(needed)


def _analysis(outcomes: Mapping[str, Outcome], names: Sequence[str]) -> Analysis:
    gate = outcomes[GATE]
    if not isinstance(gate, Done):
        return Analysis(error=gate.why)
    told = {name: outcomes[name] for name in names if name in outcomes}
    refused = [outcome.why for outcome in told.values() if isinstance(outcome, Reject)]
    facts = {name: outcome.facts for name, outcome in told.items() if isinstance(outcome, Done)}
    skipped = {name: o.why for name, o in told.items() if not isinstance(o, Done)}
    if told and all(why == NOT_FOR_THIS_KIND for why in skipped.values()) and not facts:
        return Analysis(skipped=skipped, error="This is no picture.")
    return Analysis(facts, skipped, refused[0] if refused and not facts else None)
