"""Files: looking for them, one by one, and their bytes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from quart import Response

from pipeline.access.addresses import refusal
from pipeline.access.rights import Right
from pipeline.service import files, finding, media, shares, trash
from pipeline.service.answers import Renamed
from web import media as answering
from web.contract import Answer, Asked, Given, Resource
from web.paging import Paged, cursor_of, links, values_of
from web.problems import Problem
from web.resources.file_views import FileDetail, FileView, detail

RESOURCE = Resource("files", "Photos, videos, audio and documents.")


class FilePage(Given):
    """A page of files, newest first."""

    items: list[FileView]
    next: str | None


class Search(Paged):
    """What to look for."""

    q: Annotated[str, Field(max_length=4_000)] = ""
    kind: Literal["photo", "video", "audio", "document", "sidecar", "unknown"] | None = None
    state: Annotated[str, Field(max_length=20)] | None = None
    since: Annotated[str, Field(max_length=20)] | None = None
    until: Annotated[str, Field(max_length=20)] | None = None
    like: Annotated[str, Field(max_length=64)] | None = None


class TrashedView(Given):
    """What became of one file of a bundle: where it lies now, or why it stayed."""

    file_id: str
    path: str | None = None
    reason: str = ""


class Moved(Given):
    """What went to the trash or came back."""

    items: list[TrashedView]


@RESOURCE.get("/files", right=Right.FILES_READ, gives=FilePage, query=Search)
async def listing(asked: Asked, query: Search) -> Answer:
    """Files that fit a query, newest taken first.

    `q` is the query language: `anna beach 2023`, `place:rome type:video before:2020`. With `like`
    (a file's id) the likest come first, on one page.
    """
    term = finding.query_of(
        asked.core,
        query.q,
        kind=query.kind,
        state=query.state,
        since=query.since,
        until=query.until,
    )
    if query.like is not None:
        found = await finding.like(asked.actor, asked.core, query.like, term, limit=query.limit)
    else:
        after = values_of(query.cursor, [int])
        start = int(after[0]) if after else None
        found = await finding.find(asked.actor, asked.core, term, limit=query.limit, after=start)
    cursor = None if found.following is None else cursor_of([found.following])
    page = FilePage(items=[FileView.model_validate(row) for row in found.rows], next=cursor)
    return Answer(page, headers=links(asked.request, cursor))


@RESOURCE.get("/files/<file_id>", right=Right.FILES_READ, gives=FileDetail)
async def show(asked: Asked, file_id: str) -> Answer:
    """One file with its tags, its evidence and what was made of it."""
    known = await files.known(asked.actor, asked.core, file_id)
    return Answer(detail(known), etag=known.version)


@RESOURCE.delete(
    "/files/<file_id>", right=Right.FILES_TRASH, gives=Moved, status=200, is_conditional=False
)
async def put_into_trash(asked: Asked, file_id: str) -> Moved:
    """Put a file into the trash, with what belongs to it. It can be taken back."""
    known = await files.known(asked.actor, asked.core, file_id)
    if asked.if_match not in (None, known.version):
        raise Problem(412, "The file changed since you looked at it.")
    return moved(await trash.put(asked.actor, asked.core, [known.row.id]))


@RESOURCE.get(
    "/files/<file_id>/content",
    right=Right.FILES_READ,
    is_raw=True,
    rate="media",
    is_signed=True,
    media_types=("*/*",),
    errors=(206, 304, 416),
)
async def content(asked: Asked, file_id: str) -> Response:
    """The original's bytes; `Range` is understood.

    With `?v=` and the beginning of the file's SHA-256 the answer may be kept for ever.
    """
    if asked.admission is not None and asked.admission.share is not None:
        raise refusal()  # a link gives files away by its own terms, and never to a cache
    one = await media.original(asked.actor, asked.core, file_id)
    download = "download" in asked.request.args
    return await answering.respond(asked, one, download=download, is_fixed=_names(asked, one))


@RESOURCE.get(
    "/files/<file_id>/derivatives/<kind>",
    right=Right.FILES_READ,
    is_raw=True,
    rate="media",
    is_signed=True,
    media_types=("image/*", "video/*"),
    errors=(206, 304, 416),
)
async def derivative(asked: Asked, file_id: str, kind: str) -> Response:
    """A thumbnail, preview or clip.

    With `?v=` and the beginning of the file's SHA-256 the answer may be kept for ever.
    """
    by_address = asked.admission
    if by_address is not None and by_address.share is not None:
        one = await shares.shown(asked.core, by_address.share, by_address.row, kind)
    else:
        one = await media.derivative(asked.actor, asked.core, file_id, kind)
    return await answering.respond(asked, one, is_fixed=_names(asked, one))


def _names(asked: Asked, one: media.Media) -> bool:
    """Whether the address names the very content that is answered."""
    key = asked.request.args.get("v", "")
    return bool(key) and one.version.startswith(key)


def moved(results: list[trash.Result]) -> Moved:
    """What became of files on their way into the trash or out of it."""
    return Moved(items=[_trashed(one) for one in results])


def _trashed(one: trash.Result) -> TrashedView:
    if isinstance(one, Renamed):
        return TrashedView(file_id=one.file_id, path=one.path)
    return TrashedView(file_id=one.file_id, reason=one.error.message)
