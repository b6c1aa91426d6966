"""One file's way through the stages, in this process: what the child does, without the child."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.model import JsonObject, Outcome
from pipeline.registry import discover
from pipeline.stages.contract import Stage
from pipeline.work.workers.child import Visit, ordered
from pipeline.work.workers.contract import StageCall, VisitRequest


def all_stages() -> Mapping[str, Stage]:
    """The product's stages by name, in the order in which they run."""
    return ordered(discover("pipeline.stages", "STAGE"))


def every_visit() -> Mapping[str, Stage]:
    """The stages that no job needs to ask for."""
    return {name: stage for name, stage in all_stages().items() if not stage.is_on_request}


def request(
    path: Path,
    stages: Mapping[str, Stage] | None = None,
    params: Mapping[str, JsonObject] | None = None,
    facts: Mapping[str, JsonObject] | None = None,
) -> VisitRequest:
    """A visit of `path` as it lies there now, to these stages or those of every visit, with params.

    `facts` are those of earlier visits.
    """
    seen = path.stat()
    asked = params or {}
    calls = tuple(StageCall(name, asked.get(name, {})) for name in (stages or every_visit()))
    return VisitRequest(
        path.name, path, path.name, seen.st_size, seen.st_mtime_ns, seen.st_ino, calls, facts or {}
    )


def visit(
    path: Path,
    workdir: Path,
    *names: str,
    params: Mapping[str, JsonObject] | None = None,
    models: Path | None = None,
    facts: Mapping[str, JsonObject] | None = None,
) -> Mapping[str, Outcome]:
    """The outcome of each stage named (all of every visit, if none is).

    `params` are those of each stage, by its name; `models` is the folder of model files,
    `facts` are those of earlier visits.
    """
    due = {n: s for n, s in all_stages().items() if n in names} if names else every_visit()
    trip = Visit(request(path, due, params, facts), due, workdir, models)
    trip.run()
    return trip.outcomes
