"""What is happening now: for the dashboard, and at the two paths that older programs know."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import jobs, status
from pipeline.service.status import Status
from web.contract import Answer, Asked, Given, Resource, Taken
from web.resources.job_views import JobView, ProgressView

RESOURCE = Resource("status", "What is happening now, and what needs a person.")


class SpeedView(Given):
    """What is done in a second; null where it cannot be known."""

    files_per_s: float | None
    bytes_per_s: float | None


class ResourcesView(Given):
    """The machine as Darkroom may use it: percentages of that, and bytes."""

    cpu_percent: float
    own_cpu_percent: float
    cores: float
    memory_used: int
    memory_total: int
    own_memory: int
    disks: dict[str, tuple[int, int]]


class ActiveView(Given):
    """A job that is not over."""

    job: JobView
    progress: ProgressView


class NeedView(Given):
    """One thing that waits for a person."""

    kind: str
    subject: str
    count: int
    message: str


class StatusView(Given):
    """All of it at one moment."""

    at: str
    active_jobs: list[ActiveView]
    queue_length: int
    processing_speed: SpeedView
    system_resources: ResourcesView
    paused: str | None
    waiting_for: str | None
    needs: list[NeedView]


class Processing(Given):
    """What older programs ask for."""

    active_jobs: list[ActiveView]
    queue_length: int
    processing_speed: SpeedView
    system_resources: ResourcesView


class JobProgress(Given):
    """One job and how far it is, in percent."""

    job_id: str
    status: str
    progress: float
    file_count: int
    processed_count: int
    error_count: int
    started_at: str | None
    completed_at: str | None
    left_s: float | None
    files_per_s: float | None
    current: str
    stages: dict[str, int]


class Pause(Taken):
    """For how long, and whether even what runs is interrupted."""

    minutes: Annotated[float, Field(gt=0, le=60 * 24 * 30)] | None = None
    now: bool = False


@RESOURCE.get("/status", right=Right.STATUS_READ, gives=StatusView)
async def look(asked: Asked) -> StatusView:
    """Jobs, queue, speed, the machine, and what needs a person."""
    told = await status.look(asked.actor, asked.core)
    return StatusView(
        at=told.at,
        active_jobs=_active(told),
        queue_length=told.queue_length,
        processing_speed=SpeedView.model_validate(told.processing_speed),
        system_resources=_resources(told),
        paused=told.paused,
        waiting_for=told.waiting_for,
        needs=[NeedView.model_validate(need) for need in told.needs],
    )


@RESOURCE.get("/api/processing/status", right=Right.STATUS_READ, gives=Processing, is_rooted=True)
async def processing(asked: Asked) -> Processing:
    """The same in the shape that older programs know."""
    told = await status.look(asked.actor, asked.core)
    return Processing(
        active_jobs=_active(told),
        queue_length=told.queue_length,
        processing_speed=SpeedView.model_validate(told.processing_speed),
        system_resources=_resources(told),
    )


@RESOURCE.get(
    "/api/processing/progress/<job_id>",
    right=Right.STATUS_READ,
    gives=JobProgress,
    is_rooted=True,
)
async def progress(asked: Asked, job_id: str) -> JobProgress:
    """How far one job is."""
    job = await jobs.get(asked.actor, asked.core, job_id)
    told = await jobs.progress(asked.actor, asked.core, job_id)
    return JobProgress(
        job_id=job.id,
        status=job.status,
        progress=100.0 if job.status == "done" else round(100 * told.share, 2),
        file_count=max(told.total, job.file_count),
        processed_count=max(told.processed, job.processed_count),
        error_count=job.error_count,
        started_at=job.started_at,
        completed_at=job.completed_at,
        left_s=told.left_s,
        files_per_s=told.files_per_s,
        current=told.current.encode("utf-8", "replace").decode(),
        stages=dict(told.stages),
    )


@RESOURCE.post("/status/pause", right=Right.JOBS_WRITE, takes=Pause, status=204)
async def pause(asked: Asked, body: Pause) -> Answer:
    """Begin nothing new, for so many minutes or until it is resumed; for the whole house."""
    await jobs.pause(asked.actor, asked.core, minutes=body.minutes, now=body.now)
    return Answer()


@RESOURCE.post("/status/resume", right=Right.JOBS_WRITE, status=204)
async def resume(asked: Asked) -> Answer:
    """Go on with the work."""
    await jobs.resume(asked.actor, asked.core)
    return Answer()


def _active(told: Status) -> list[ActiveView]:
    return [
        ActiveView(job=JobView.of(one.job), progress=ProgressView.of(one.progress))
        for one in told.active_jobs
    ]


def _resources(told: Status) -> ResourcesView:
    return ResourcesView.model_validate(told.system_resources)
