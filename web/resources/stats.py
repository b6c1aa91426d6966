"""Graphs: the machine and the work over time, stages, trends, storage, and what ran when."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.model import JsonObject
from pipeline.service import metrics, storage, timeline
from web.contract import Answer, Asked, Given, Moment, Resource, Taken
from web.paging import links, values_of
from web.resources.job_views import SpanView, TimelineView, spans_view

RESOURCE = Resource("stats", "How it went: graphs, trends, storage, the timeline.")
Seconds = Annotated[int, Field(ge=10, le=30 * 24 * 3600, description="how far back")]


class SinceQuery(Taken):
    """How far back."""

    seconds: Seconds = 3600


class SeriesQuery(SinceQuery):
    """How far back, and which readings: a graph needs few of them, and a day of all is large."""

    only: Annotated[str, Field(max_length=400, description="`cpu,memory`; empty: all")] = ""


class SampleView(Given):
    """What was read in the time from `at` on (unix seconds)."""

    at: int
    readings: dict[str, Any]


class SeriesView(Given):
    """Samples in order, one for each `every_s` seconds in which there was one."""

    every_s: int
    samples: list[SampleView]


class StageSpeedView(Given):
    """How long one stage took."""

    stage: str
    count: int
    wall_ms: int
    p50_ms: float
    p95_ms: float
    files_per_s: float


class StageSpeeds(Given):
    """All stages that ran, the costliest first."""

    items: list[StageSpeedView]


class RunView(Given):
    """One run, in sum."""

    job_id: str
    started_at: str
    seconds: float
    files: int
    bytes: int
    errors: int
    files_per_s: float
    bytes_per_s: float


class TrendView(Given):
    """The last run against the middle of the seven before it; `change` 0.1 is a tenth faster."""

    now: float
    usual: float | None
    change: float | None


class TrendsView(Given):
    """Runs, the newest first."""

    runs: list[RunView]
    files_per_s: TrendView | None
    bytes_per_s: TrendView | None


class AmountView(Given):
    """So many files of so many bytes."""

    files: int
    bytes: int


class ForecastView(Given):
    """In how many days the disk is full if it goes on like this."""

    soonest_days: int
    latest_days: int | None


class StorageView(Given):
    """What the library is made of, and what could be got back."""

    at: str
    total: AmountView
    by_category: dict[str, AmountView]
    by_year: dict[str, AmountView]
    by_codec: dict[str, AmountView]
    reclaimable: dict[str, AmountView]
    disk_free: int
    disk_total: int
    history: list[tuple[str, int, int]]
    forecast: ForecastView | None


class StorageQuery(Taken):
    """Whether to count now; else a count may be ten minutes old."""

    fresh: bool = False


class TimelineQuery(Taken):
    """Between which moments, and where to go on."""

    since: Moment
    until: Moment
    limit: Annotated[int, Field(ge=1, le=5_000)] = 1_000
    cursor: Annotated[str, Field(max_length=400)] | None = None


class Spans(Given):
    """Visits, the newest first."""

    items: list[SpanView]


@RESOURCE.get("/stats/series", right=Right.STATUS_READ, query=SeriesQuery, gives=SeriesView)
async def series(asked: Asked, query: SeriesQuery) -> SeriesView:
    """CPU, memory, disks, queue and what was done: finely for a day, coarsely for a month."""
    told = await metrics.series(asked.actor, asked.core, query.seconds)
    only = tuple(filter(None, query.only.split(",")))
    samples = [{"at": one.at, "readings": _chosen(one.readings, only)} for one in told.samples]
    return SeriesView.model_validate({"every_s": told.every_s, "samples": samples})


def _chosen(readings: JsonObject, only: tuple[str, ...]) -> JsonObject:
    return {name: readings[name] for name in only or readings if name in readings}


@RESOURCE.get("/stats/stages", right=Right.STATUS_READ, query=SinceQuery, gives=StageSpeeds)
async def stages(asked: Asked, query: SinceQuery) -> StageSpeeds:
    """How long each stage takes: the middle, and all but the slowest twentieth."""
    found = await metrics.stages(asked.actor, asked.core, query.seconds)
    return StageSpeeds(items=[StageSpeedView.model_validate(one) for one in found])


@RESOURCE.get("/stats/trends", right=Right.STATUS_READ, gives=TrendsView)
async def trends(asked: Asked) -> TrendsView:
    """Whether runs get slower."""
    return TrendsView.model_validate(await metrics.trends(asked.actor, asked.core))


@RESOURCE.get("/stats/storage", right=Right.STATUS_READ, query=StorageQuery, gives=StorageView)
async def stored(asked: Asked, query: StorageQuery) -> StorageView:
    """What the library is made of by category, year and codec, and what could be got back."""
    told = await storage.look(asked.actor, asked.core, fresh=query.fresh)
    kept = told.storage
    parts = {"trash": kept.trash, "look_alikes": kept.look_alikes}
    parts["larger_than_needed"] = kept.larger_than_needed
    return StorageView.model_validate(
        {
            "at": told.at,
            "total": kept.total,
            "by_category": kept.by_category,
            "by_year": kept.by_year,
            "by_codec": kept.by_codec,
            "reclaimable": parts,
            "disk_free": told.disk_free,
            "disk_total": told.disk_total,
            "history": told.history,
            "forecast": told.forecast,
        }
    )


@RESOURCE.get("/timeline", right=Right.JOBS_READ, query=TimelineQuery, gives=TimelineView)
async def window(asked: Asked, query: TimelineQuery) -> Answer:
    """Which job, file and stage ran between two moments."""
    told = values_of(query.cursor, (int,))
    after = 0 if told is None else int(told[0])
    found = await timeline.window(
        asked.actor, asked.core, query.since, query.until, after=after, limit=query.limit
    )
    view = TimelineView.of(found)
    return Answer(view, headers=links(asked.request, view.next))


@RESOURCE.get("/files/<file_id>/timeline", right=Right.FILES_READ, gives=Spans)
async def of_file(asked: Asked, file_id: str) -> Spans:
    """The visits of one file, the newest first."""
    found = await timeline.of_file(asked.actor, asked.core, file_id)
    return Spans(items=spans_view(found))
