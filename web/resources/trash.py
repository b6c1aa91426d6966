"""The trash: look, take back, empty. What is emptied was planned and confirmed before."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.errors import Conflict
from pipeline.service import trash
from pipeline.service.answers import Kept, PurgePlan
from web.contract import LARGE_BODY, Answer, Asked, Given, Resource, Taken
from web.paging import Paged, cut, links, values_of
from web.resources.files import Moved, moved

RESOURCE = Resource("trash", "What people put away, and until when it can come back.")
Id = Annotated[str, Field(max_length=64)]


class TrashView(Given):
    """One file in the trash."""

    file_id: str
    bundle_id: str | None
    origin_path: str
    reason: str
    by_person: bool
    at: str
    purge_after: str
    size: int


class TrashPage(Given):
    """A page of the trash, newest first."""

    items: list[TrashView]
    next: str | None


class Files(Taken):
    """Files by id."""

    files: Annotated[tuple[Id, ...], Field(min_length=1, max_length=10_000)]


class PurgeAsked(Taken):
    """What a purge would delete: what is over its time, or everything."""

    everything: bool = False


class PurgePlanned(Given):
    """Exactly what would be deleted for good; `plan` confirms it."""

    plan: str
    files: int
    bytes: int


class PurgeWanted(Taken):
    """A purge as it was planned: only with the same `plan` anything is deleted."""

    everything: bool = False
    plan: Annotated[str, Field(max_length=64)]


class Left(Given):
    """A file that was left, and why."""

    file_id: str
    reason: str


class Purged(Given):
    """What was deleted for good."""

    files: int
    bytes: int
    left: list[Left]


@RESOURCE.get("/trash", right=Right.FILES_READ, gives=TrashPage, query=Paged)
async def listing(asked: Asked, query: Paged) -> Answer:
    """What is in the trash, newest first."""
    told = values_of(query.cursor, [str, str])
    after = (str(told[0]), str(told[1])) if told else None
    found = await trash.page(asked.actor, asked.core, after=after, limit=query.limit + 1)
    shown, cursor = cut(found, query.limit, lambda one: [one.at, one.id])
    page = TrashPage(items=[TrashView.model_validate(one) for one in shown], next=cursor)
    return Answer(page, headers=links(asked.request, cursor))


@RESOURCE.post("/trash", right=Right.FILES_TRASH, takes=Files, gives=Moved, body_limit=LARGE_BODY)
async def put(asked: Asked, body: Files) -> Moved:
    """Put files into the trash, each with what belongs to it."""
    return moved(await trash.put(asked.actor, asked.core, body.files))


@RESOURCE.post(
    "/trash/restore", right=Right.FILES_TRASH, takes=Files, gives=Moved, body_limit=LARGE_BODY
)
async def restore(asked: Asked, body: Files) -> Moved:
    """Bring files back to where they were, each with what belongs to it."""
    return moved(await trash.restore(asked.actor, asked.core, body.files))


@RESOURCE.get("/trash/purge", right=Right.FILES_PURGE, gives=PurgePlanned, query=PurgeAsked)
async def plan(asked: Asked, query: PurgeAsked) -> PurgePlanned:
    """What a purge would delete for good. Nothing is touched."""
    found = await trash.purge_plan(asked.actor, asked.core, query.everything)
    return PurgePlanned(plan=_mark(found), files=len(found.entries), bytes=_bytes(found))


@RESOURCE.post("/trash/purge", right=Right.FILES_PURGE, takes=PurgeWanted, gives=Purged)
async def purge(asked: Asked, body: PurgeWanted) -> Purged:
    """Delete for good what was planned, if the trash still is what was planned for."""
    found = await trash.purge_plan(asked.actor, asked.core, body.everything)
    if _mark(found) != body.plan:
        raise Conflict("The trash is not what it was; nothing was deleted.", hint="Plan again.")
    gone, kept = await trash.purge(asked.actor, asked.core, found)
    return Purged(files=len(gone), bytes=sum(one.size for one in gone), left=list(map(_left, kept)))


def _mark(planned: PurgePlan) -> str:
    told = "\n".join([str(planned.confirmed), *(entry.id for entry in planned.entries)])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _bytes(planned: PurgePlan) -> int:
    return sum(entry.size for entry in planned.entries)


def _left(one: Kept) -> Left:
    return Left(file_id=one.file_id, reason=one.error.message)
