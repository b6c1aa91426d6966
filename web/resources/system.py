"""Is it alive, is it ready, what is it, and its figures for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import metadata
from typing import Literal

from quart import Response

from pipeline.access.rights import Right
from pipeline.core import Core
from pipeline.errors import DarkroomError
from pipeline.service import metrics, news, status
from pipeline.service.answers import Durations, Meter, duration_of
from pipeline.service.status import Status
from web.contract import Asked, Given, Resource
from web.problems import Problem
from web.resources.status import ResourcesView

RESOURCE = Resource("system", "The machine, and Darkroom itself.")
READY_S = 2.0
VERSION = metadata.version("darkroom")  # a file: read once, and not in the loop
LAG_BOUNDS_MS = (1, 2, 5, 10, 20, 30, 40, 50, 75, 100, 250, 500, 1_000)
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Health(Given):
    """It answers."""

    status: str


class SystemView(Given):
    """What runs here, and on what."""

    version: str
    mode: str
    event_seq: int
    live_receivers: int
    slots: int
    workers_started: int
    loop_lag_ms: float | None  # of the last ten seconds, all but the worst hundredth; null: unknown
    resources: ResourcesView


class FindingView(Given):
    """One thing looked at, and what to do where it is not well."""

    level: Literal["ok", "note", "bad"]
    what: str
    mend: str


class Checked(Given):
    """All that was looked at, in the order in which a person would."""

    items: list[FindingView]


@RESOURCE.get("/healthz", right=None, gives=Health, is_rooted=True, rate="media")
async def healthy(asked: Asked) -> Health:
    """The process answers; nothing else is looked at."""
    return Health(status="ok")


@RESOURCE.get("/readyz", right=None, gives=Health, is_rooted=True, rate="media", errors=(503,))
async def ready(asked: Asked) -> Health:
    """The state can be read, and work goes on or waits for a known reason."""
    try:
        async with asyncio.timeout(READY_S):
            await news.newest(asked.core)
    except (TimeoutError, DarkroomError) as error:
        raise Problem(503, "The state does not answer.", headers={"Retry-After": "5"}) from error
    return Health(status="ready")


@RESOURCE.get("/system", right=Right.STATUS_READ, gives=SystemView)
async def look(asked: Asked) -> SystemView:
    """Version, workers, live receivers and the machine."""
    core = asked.core
    workers = core.workers
    return SystemView(
        version=VERSION,
        mode=core.mode,
        event_seq=await news.newest(core),
        live_receivers=core.news.receivers,
        slots=workers.slots if workers else 0,
        workers_started=workers.started if workers else 0,
        loop_lag_ms=metrics.latest(core).get("lag_p99_ms"),
        resources=ResourcesView.model_validate(await status.resources(core)),
    )


@RESOURCE.post("/system/check", right=Right.SETTINGS_READ, gives=Checked)
async def check(asked: Asked) -> Checked:
    """Look at everything that may be wrong, as `darkroom doctor` does; takes some seconds."""
    from pipeline.service import doctor  # what it looks at is much to import, and rarely asked for

    core = asked.core
    found = await doctor.examine(core.home.path, core.settings, core.clock)
    return Checked(items=[FindingView.model_validate(one) for one in found])


@RESOURCE.get(
    "/metrics",
    right=Right.STATUS_READ,
    is_rooted=True,
    is_raw=True,
    media_types=("text/plain",),
)
async def prometheus(asked: Asked) -> Response:
    """Figures in Prometheus' text format; send an API key with `status.read`."""
    told = await status.look(asked.actor, asked.core)
    lines = "\n".join(_exposition(asked.core, told)) + "\n"
    return Response(lines, 200, {"Cache-Control": "no-store"}, content_type=TEXT)


def _exposition(core: Core, told: Status) -> Iterator[str]:
    machine = told.system_resources
    yield from _gauge("queue_length", "Tasks queued or claimed.", told.queue_length)
    yield from _gauge("active_jobs", "Jobs that are not over.", len(told.active_jobs))
    yield from _gauge("needs", "Things that wait for a person.", len(told.needs))
    yield from _gauge("live_receivers", "Clients that listen.", core.news.receivers)
    yield from _gauge("cpu_percent", "Of the CPU there is for us.", machine.cpu_percent)
    yield from _gauge("memory_used_bytes", "Of the memory there is for us.", machine.memory_used)
    yield from _gauge("memory_total_bytes", "Memory there is for us.", machine.memory_total)
    yield from _gauge("own_memory_bytes", "Core and workers.", machine.own_memory)
    yield from _head("disk_free_bytes", "Room on the disk of a folder.", "gauge")
    for folder, (free, _) in machine.disks.items():
        yield f'darkroom_disk_free_bytes{{folder="{_escaped(folder)}"}} {free}'
    if core.flow is not None:
        yield from _work(core.flow.meter)
        yield from _lag(core.flow.meter.lag)


def _work(meter: Meter) -> Iterator[str]:
    for name, told, value in (
        ("files_total", "Files visited since the start.", meter.files),
        ("bytes_total", "Their bytes.", meter.bytes),
        ("failed_total", "Visits that failed.", meter.failed),
        ("visit_cpu_seconds_total", "CPU of visits.", meter.cpu_ms / 1000),
    ):
        yield from _head(name, told, "counter")
        yield f"darkroom_{name} {value}"
    yield from _head("stage_seconds", "How long stages took.", "summary")
    for stage, ran in sorted(meter.stages.items()):
        yield f'darkroom_stage_seconds_sum{{stage="{_escaped(stage)}"}} {ran.wall_ms / 1000}'
        yield f'darkroom_stage_seconds_count{{stage="{_escaped(stage)}"}} {ran.count}'


def _lag(lag: Durations) -> Iterator[str]:
    yield from _head("loop_lag_seconds", "How late the event loop was.", "histogram")
    for bound in LAG_BOUNDS_MS:
        below = sum(times for size, times in lag.sizes.items() if duration_of(size) <= bound)
        yield f'darkroom_loop_lag_seconds_bucket{{le="{bound / 1000:g}"}} {below}'
    yield f'darkroom_loop_lag_seconds_bucket{{le="+Inf"}} {lag.count}'
    yield f"darkroom_loop_lag_seconds_sum {lag.wall_ms / 1000}"
    yield f"darkroom_loop_lag_seconds_count {lag.count}"


def _gauge(name: str, told: str, value: float) -> Iterator[str]:
    yield from _head(name, told, "gauge")
    yield f"darkroom_{name} {value}"


def _head(name: str, told: str, kind: str) -> Iterator[str]:
    yield f"# HELP darkroom_{name} {told}"
    yield f"# TYPE darkroom_{name} {kind}"


def _escaped(text: str) -> str:
    safe = text.encode("utf-8", "replace").decode()
    return safe.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
