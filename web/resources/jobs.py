"""Jobs: what was started, how far it is down to each stage of each file, and steering it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.access.rights import Right, require
from pipeline.model import Priority
from pipeline.service import jobs, starting, timeline
from pipeline.service.answers import Job
from pipeline.service.renditions import Order
from web.contract import API, LARGE_BODY, Answer, Asked, Given, Resource, Taken
from web.paging import Paged, cut, links, values_of
from web.resources.job_views import JobView, ProgressView, SpanView, TimelineView, spans_view

RESOURCE = Resource("jobs", "What a person started or a schedule fired: job, tasks, stages.")
Text = Annotated[str, Field(max_length=4_000)]


class Jobs(Given):
    """Jobs, newest first."""

    items: list[JobView]
    next: str | None


class JobsQuery(Paged):
    """Which jobs."""

    status: (
        Literal["queued", "running", "paused", "done", "failed", "cancelled", "undone"] | None
    ) = None


class TaskView(Given):
    """One file of a job, with its visits, the newest first."""

    id: str
    file_id: str
    name: str
    size: int
    kind: str
    status: str
    attempts: int
    error: str | None
    spans: list[SpanView]


class Tasks(Given):
    """Tasks in order."""

    items: list[TaskView]
    next: str | None


class TasksQuery(Paged):
    """Which tasks."""

    failed: bool = False


class SpansQuery(Taken):
    """Where to go on."""

    cursor: Annotated[str, Field(max_length=400)] | None = None
    limit: Annotated[int, Field(ge=1, le=5_000)] = 1_000


class TakeIn(Taken):
    """Take in what lies in folders of the server; for administrators."""

    type: Literal["process"]
    paths: Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)]
    move: bool = False


class Make(Taken):
    """Make something of files: smaller copies, other formats, web copies, blurred ones."""

    type: Literal["optimise", "convert", "transcode", "proxy", "blur", "scrub"]
    files: Annotated[tuple[Text, ...], Field(max_length=10_000)] = ()
    query: Text | None = None
    wish: dict[Annotated[str, Field(max_length=40)], Any] = {}  # noqa: RUF012 - pydantic copies it
    replace: bool = False


class Study(Taken):
    """Study again what could not be seen before, for instance for want of a model."""

    type: Literal["study"]


class Start(Taken):
    """A job to start."""

    job: Annotated[TakeIn | Make | Study, Field(discriminator="type")]


class Change(Taken):
    """How soon what is open of the job comes."""

    priority: Priority


class Steered(Given):
    """A job, and how many of its tasks that concerned."""

    job: JobView
    tasks: int


class Undone(Given):
    """What an undo reversed, and what it left with the reason."""

    reversed: int
    left: list[str]


@RESOURCE.get("/jobs", right=Right.JOBS_READ, query=JobsQuery, gives=Jobs)
async def listing(asked: Asked, query: JobsQuery) -> Answer:
    """Jobs, newest first."""
    told = values_of(query.cursor, (str,))
    before = None if told is None else str(told[0])
    statuses = (query.status,) if query.status else ()
    found = await jobs.recent(
        asked.actor, asked.core, query.limit + 1, before=before, statuses=statuses
    )
    shown, cursor = cut(found, query.limit, lambda one: [one.id])
    items = [JobView.of(job) for job in shown]
    return Answer(Jobs(items=items, next=cursor), headers=links(asked.request, cursor))


@RESOURCE.post(
    "/jobs",
    right=Right.JOBS_WRITE,
    takes=Start,
    gives=JobView,
    status=202,
    body_limit=LARGE_BODY,
)
async def start(asked: Asked, body: Start) -> Answer:
    """Start a job; `Location` is where it is followed."""
    actor, core, wanted = asked.actor, asked.core, body.job
    match wanted:
        case TakeIn():
            require(actor, Right.ROOTS_WRITE)  # it opens folders of the server
            paths = [Path(path) for path in wanted.paths]
            job_id = await starting.taking_in(actor, core, paths, move=wanted.move)
        case Make():
            require(actor, Right.FILES_WRITE)
            order = Order(wanted.type, wanted.wish, wanted.replace)
            job_id = await starting.making(actor, core, wanted.files, wanted.query, order)
        case Study():
            job_id = await starting.study(actor, core)
    job = await jobs.get(actor, core, job_id)
    return Answer(JobView.of(job), headers={"Location": f"{API}/jobs/{job_id}"})


@RESOURCE.get("/jobs/<job_id>", right=Right.JOBS_READ, gives=JobView)
async def one(asked: Asked, job_id: str) -> JobView:
    """One job."""
    return JobView.of(await jobs.get(asked.actor, asked.core, job_id))


@RESOURCE.get("/jobs/<job_id>/progress", right=Right.JOBS_READ, gives=ProgressView)
async def progress(asked: Asked, job_id: str) -> ProgressView:
    """How far it is at this moment, by bytes; the time left is null while nobody can know it."""
    return ProgressView.of(await jobs.progress(asked.actor, asked.core, job_id))


@RESOURCE.get("/jobs/<job_id>/tasks", right=Right.JOBS_READ, query=TasksQuery, gives=Tasks)
async def tasks(asked: Asked, job_id: str, query: TasksQuery) -> Answer:
    """Its files, each with its visits and their stages."""
    told = values_of(query.cursor, (str,))
    found = await jobs.tree(
        asked.actor,
        asked.core,
        job_id,
        after="" if told is None else str(told[0]),
        limit=query.limit + 1,
        only_failed=query.failed,
    )
    shown, cursor = cut(found, query.limit, lambda one: [one.task.id])
    items = [
        TaskView(
            id=branch.task.id,
            file_id=branch.task.file_id,
            name=branch.task.name,
            size=branch.task.size,
            kind=branch.task.kind,
            status=branch.task.status,
            attempts=branch.task.attempts,
            error=branch.task.error,
            spans=spans_view(branch.spans),
        )
        for branch in shown
    ]
    return Answer(Tasks(items=items, next=cursor), headers=links(asked.request, cursor))


@RESOURCE.get(
    "/jobs/<job_id>/timeline", right=Right.JOBS_READ, query=SpansQuery, gives=TimelineView
)
async def spans(asked: Asked, job_id: str, query: SpansQuery) -> Answer:
    """Everything it did, in order of the end: which file ran when, in which slot."""
    told = values_of(query.cursor, (int,))
    after = 0 if told is None else int(told[0])
    window = await timeline.of_job(asked.actor, asked.core, job_id, after=after, limit=query.limit)
    view = TimelineView.of(window)
    return Answer(view, headers=links(asked.request, view.next))


@RESOURCE.patch("/jobs/<job_id>", right=Right.JOBS_WRITE, takes=Change, gives=Steered)
async def change(asked: Asked, job_id: str, body: Change) -> Steered:
    """Let it come sooner or later."""
    count = await jobs.prioritise(asked.actor, asked.core, job_id, body.priority)
    return await _steered(asked, job_id, count)


@RESOURCE.post("/jobs/<job_id>/pause", right=Right.JOBS_WRITE, gives=Steered)
async def pause(asked: Asked, job_id: str) -> Steered:
    """Begin nothing more of it, until it is resumed; remembered over restarts."""
    return await _steered(asked, job_id, await jobs.pause_job(asked.actor, asked.core, job_id))


@RESOURCE.post("/jobs/<job_id>/resume", right=Right.JOBS_WRITE, gives=Steered)
async def resume(asked: Asked, job_id: str) -> Steered:
    """Go on with it."""
    return await _steered(asked, job_id, await jobs.resume_job(asked.actor, asked.core, job_id))


@RESOURCE.post("/jobs/<job_id>/cancel", right=Right.JOBS_WRITE, gives=Steered)
async def cancel(asked: Asked, job_id: str) -> Steered:
    """Drop what it has not begun; what is done stays done."""
    return await _steered(asked, job_id, await jobs.cancel(asked.actor, asked.core, job_id))


@RESOURCE.post("/jobs/<job_id>/retry", right=Right.JOBS_WRITE, gives=Steered)
async def retry(asked: Asked, job_id: str) -> Steered:
    """Try again what failed."""
    return await _steered(asked, job_id, await jobs.retry(asked.actor, asked.core, job_id))


@RESOURCE.post("/jobs/<job_id>/undo", right=Right.JOBS_WRITE, gives=Undone)
async def undo(asked: Asked, job_id: str) -> Undone:
    """Reverse everything it did to files; what cannot be reversed is left and named."""
    require(asked.actor, Right.FILES_WRITE)
    await jobs.get(asked.actor, asked.core, job_id)
    done = await jobs.undo(asked.actor, asked.core, job_id)
    return Undone(
        reversed=done.reversed, left=[f"{one.file_id}: {one.error.message}" for one in done.left]
    )


async def _steered(asked: Asked, job_id: str, count: int) -> Steered:
    job: Job = await jobs.get(asked.actor, asked.core, job_id)
    return Steered(job=JobView.of(job), tasks=count)
