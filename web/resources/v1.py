"""The older, smaller API under `/api/v1`, kept alive as it was for programs that know no other.

Its shapes never change any more. Every answer says that there is a successor, and until when this
one stays (RFC 9745, RFC 8594).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field
from quart import Response

from pipeline.access.rights import Right
from pipeline.service import files, finding, jobs, media, status, trash
from pipeline.service.answers import FileRow, Job, Renamed
from web import media as answering
from web.contract import API, Answer, Asked, Given, Resource, Taken

RESOURCE = Resource("v1", "The older API: files, jobs and status. Use version 2 for anything new.")
V1 = "/api/v1"
DEPRECATED = "@1767225600"  # 2026-01-01
SUNSET = "Sat, 01 Jan 2028 00:00:00 GMT"


class OldFile(Given):
    """One file."""

    id: str
    name: str
    path: str | None
    type: str | None
    mime: str | None
    size: int
    hash: str | None
    date: str | None
    width: int | None
    height: int | None
    latitude: float | None
    longitude: float | None
    favorite: bool


class OldFiles(Given):
    """Files, newest first; `offset` is what to ask with for more, null at the end."""

    files: list[OldFile]
    count: int
    offset: int | None


class OldQuery(Taken):
    """What to look for, and from where on."""

    search: Annotated[str, Field(max_length=1_000)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=1 << 62)] | None = None


class OldDeleted(Given):
    """Whether the file is in the trash now."""

    deleted: bool


class OldJob(Given):
    """One job; `progress` is percent."""

    id: str
    type: str
    status: str
    progress: float
    files: int
    done: int
    errors: int
    started: str | None
    finished: str | None


class OldJobs(Given):
    """The newest jobs."""

    jobs: list[OldJob]


class OldStatus(Given):
    """How Darkroom is."""

    version: str
    running_jobs: int
    queue: int


@RESOURCE.get(f"{V1}/files", right=Right.FILES_READ, gives=OldFiles, query=OldQuery, is_rooted=True)
async def listing(asked: Asked, query: OldQuery) -> Answer:
    """Files that fit a search, newest first."""
    term = finding.query_of(asked.core, query.search)
    found = await finding.find(asked.actor, asked.core, term, limit=query.limit, after=query.offset)
    told = list(map(_file, found.rows))
    return _old(OldFiles(files=told, count=len(told), offset=found.following), "files")


@RESOURCE.get(f"{V1}/files/<file_id>", right=Right.FILES_READ, gives=OldFile, is_rooted=True)
async def show(asked: Asked, file_id: str) -> Answer:
    """One file."""
    row = await files.one(asked.actor, asked.core, file_id)
    return _old(_file(row), f"files/{row.id}")


@RESOURCE.delete(
    f"{V1}/files/<file_id>",
    right=Right.FILES_TRASH,
    gives=OldDeleted,
    status=200,
    is_rooted=True,
)
async def delete(asked: Asked, file_id: str) -> Answer:
    """Put a file into the trash."""
    row = await files.one(asked.actor, asked.core, file_id)
    results = await trash.put(asked.actor, asked.core, [row.id])
    is_gone = any(isinstance(one, Renamed) for one in results)
    return _old(OldDeleted(deleted=is_gone), f"files/{row.id}")


@RESOURCE.get(
    f"{V1}/files/<file_id>/download",
    right=Right.FILES_READ,
    is_raw=True,
    rate="media",
    media_types=("*/*",),
    errors=(206, 304, 416),
    is_rooted=True,
)
async def download(asked: Asked, file_id: str) -> Response:
    """The original's bytes."""
    one = await media.original(asked.actor, asked.core, file_id)
    response = await answering.respond(asked, one, download=True)
    response.headers.update(_headers(f"files/{file_id}/content"))
    return response


@RESOURCE.get(f"{V1}/jobs", right=Right.JOBS_READ, gives=OldJobs, is_rooted=True)
async def recent(asked: Asked) -> Answer:
    """The newest jobs."""
    found = await jobs.recent(asked.actor, asked.core)
    return _old(OldJobs(jobs=list(map(_job, found))), "jobs")


@RESOURCE.get(f"{V1}/jobs/<job_id>", right=Right.JOBS_READ, gives=OldJob, is_rooted=True)
async def job(asked: Asked, job_id: str) -> Answer:
    """One job."""
    found = await jobs.get(asked.actor, asked.core, job_id)
    return _old(_job(found), f"jobs/{found.id}")


@RESOURCE.get(f"{V1}/status", right=Right.STATUS_READ, gives=OldStatus, is_rooted=True)
async def look(asked: Asked) -> Answer:
    """How Darkroom is."""
    told = await status.look(asked.actor, asked.core)
    now = OldStatus(version="1", running_jobs=len(told.active_jobs), queue=told.queue_length)
    return _old(now, "status")


def _file(row: FileRow) -> OldFile:
    return OldFile(
        id=row.id,
        name=PurePosixPath(row.path or row.source_path).name,
        path=row.path,
        type=row.category,
        mime=row.mime,
        size=row.size,
        hash=row.sha256,
        date=row.taken_at,
        width=row.width,
        height=row.height,
        latitude=row.lat,
        longitude=row.lon,
        favorite=(row.rating or 0) >= 5,
    )


def _job(found: Job) -> OldJob:
    return OldJob(
        id=found.id,
        type=found.job_type,
        status=found.status,
        progress=found.progress,
        files=found.file_count,
        done=found.processed_count,
        errors=found.error_count,
        started=found.started_at,
        finished=found.completed_at,
    )


def _old(body: Given, successor: str) -> Answer:
    return Answer(body, headers=_headers(successor))


def _headers(successor: str) -> dict[str, str]:
    return {
        "Deprecation": DEPRECATED,
        "Sunset": SUNSET,
        "Link": f'<{API}/{successor}>; rel="successor-version"',
    }
