"""Uploads: sent in pieces, resumed where they stopped, checked at the end.

The pieces follow draft-ietf-httpbis-resumable-upload and tus 1.0: `PATCH` at `Upload-Offset`, and
`HEAD` tells how much has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from pydantic import Field
from quart import Request, Response

from pipeline.access.rights import Right
from pipeline.errors import Conflict, DarkroomError
from pipeline.service import uploads
from pipeline.service.answers import Upload
from pipeline.service.uploads import Known, Progress, Wanted
from web.contract import (
    API,
    LARGE_BODY,
    Answer,
    Asked,
    Given,
    Header,
    Moment,
    Resource,
    Taken,
)
from web.paging import Paged, cut, links, values_of
from web.problems import Problem, of

RESOURCE = Resource("uploads", "Files on their way in: resumable, checked by their hash.")
PIECE = 16 << 20
SLOWEST_S = 60.0  # between two parts of a piece
OFFSET = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
PIECE_TYPES = ("application/offset+octet-stream", "application/partial-upload")


class UploadWanted(Taken):
    """A file to be sent. `name` may hold the folders it lies in; `batch` is for what lies together.

    With `sha256` the library can say at once that it has the file, and what comes is checked.
    """

    name: Annotated[str, Field(min_length=1, max_length=uploads.LONGEST_NAME)]
    size: Annotated[int, Field(ge=0, le=1 << 62)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    modified_at: Moment | None = None
    batch: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{0,64}$")] = ""


class ManyWanted(Taken):
    """Files to be sent, up to a thousand at once."""

    files: Annotated[tuple[UploadWanted, ...], Field(min_length=1, max_length=1_000)]


class UploadView(Given):
    """An upload. `status` is open, taken (then `file_id` is the file) or known: nothing to send."""

    id: str | None
    status: str
    name: str
    size: int
    offset: int
    piece: int = PIECE
    file_id: str | None = None


class Begun(Given):
    """What became of one file of many; `reason` says why it is not taken."""

    upload: UploadView | None
    status: int
    reason: str = ""


class ManyBegun(Given):
    """What became of each, in the order in which they were named."""

    items: list[Begun]


class UploadPage(Given):
    """A page of uploads under way, the oldest first."""

    items: list[UploadView]
    next: str | None


@RESOURCE.post(
    "/uploads",
    right=Right.FILES_ADD,
    takes=UploadWanted,
    gives=UploadView,
    status=201,
    rate="upload",
    errors=(200, 413, 507),
)
async def create(asked: Asked, body: UploadWanted) -> Answer:
    """Begin an upload; `Location` takes the pieces. 200: the library has the file already."""
    view = await _begun(asked, body)
    if view.id is None:
        return Answer(view, status=200)
    return Answer(view, headers={**_headers(view), "Location": f"{API}/uploads/{view.id}"})


@RESOURCE.post(
    "/uploads/many",
    right=Right.FILES_ADD,
    takes=ManyWanted,
    gives=ManyBegun,
    body_limit=LARGE_BODY,
    rate="upload",
)
async def create_many(asked: Asked, body: ManyWanted) -> ManyBegun:
    """Begin the uploads of a whole folder; one that is not taken never stops the others."""
    return ManyBegun(items=await asyncio.gather(*(_one_of_many(asked, o) for o in body.files)))


@RESOURCE.get("/uploads", right=Right.FILES_ADD, gives=UploadPage, query=Paged)
async def listing(asked: Asked, query: Paged) -> Answer:
    """One's own uploads under way."""
    told = values_of(query.cursor, [str])
    after = str(told[0]) if told else ""
    found = await uploads.listing(asked.actor, asked.core, after=after, limit=query.limit + 1)
    shown, cursor = cut(found, query.limit, lambda one: [one.id])
    page = UploadPage(items=[_view(Progress(one)) for one in shown], next=cursor)
    return Answer(page, headers=links(asked.request, cursor))


@RESOURCE.get("/uploads/<upload_id>", right=Right.FILES_ADD, gives=UploadView, rate="upload")
async def show(asked: Asked, upload_id: str) -> Answer:
    """How much of an upload has come; `HEAD` tells it in `Upload-Offset`."""
    view = _view(Progress(await uploads.get(asked.actor, asked.core, upload_id)))
    return Answer(view, headers={**_headers(view), "Cache-Control": "no-store"})


@RESOURCE.patch(
    "/uploads/<upload_id>",
    right=Right.FILES_ADD,
    is_raw=True,
    body_limit=PIECE,
    rate="upload",
    takes_types=PIECE_TYPES,
    says={"Upload-Offset": Header("Where this piece begins.", OFFSET, is_required=True)},
    errors=(204, 400, 409, 507),
)
async def receive(asked: Asked, upload_id: str) -> Response:
    """Send a piece of at most 16 MiB at `Upload-Offset`; with the last one the file is taken in.

    What came before a connection broke is kept: ask `HEAD` where to go on.
    """
    request = asked.request
    if request.mimetype not in PIECE_TYPES:
        raise Problem(415, f"Send the piece as {PIECE_TYPES[0]}.")
    try:
        progress = await uploads.receive(
            asked.actor, asked.core, upload_id, _offset(request), _pieces(request)
        )
    except Conflict as error:
        raise await _elsewhere(asked, upload_id, error) from error
    view = _view(progress)
    if view.file_id is None:
        return Response(b"", 204, _headers(view))
    body = view.model_dump_json().encode()
    return Response(body, 200, _headers(view), content_type="application/json")


@RESOURCE.delete("/uploads/<upload_id>", right=Right.FILES_ADD)
async def abandon(asked: Asked, upload_id: str) -> None:
    """End an upload; what has come is forgotten."""
    await uploads.abandon(asked.actor, asked.core, upload_id)


async def _begun(asked: Asked, body: UploadWanted) -> UploadView:
    modified = body.modified_at
    wanted = Wanted(
        name=body.name,
        size=body.size,
        sha256=body.sha256,
        mtime_ns=None if modified is None else int(modified.timestamp() * 1e9),
        batch=body.batch,
    )
    begun = await uploads.create(asked.actor, asked.core, wanted)
    if isinstance(begun, Known):
        return UploadView(
            id=None,
            status="known",
            name=body.name,
            size=body.size,
            offset=body.size,
            file_id=begun.file_id,
        )
    return _view(Progress(begun))


async def _one_of_many(asked: Asked, body: UploadWanted) -> Begun:
    try:
        view = await _begun(asked, body)
    except DarkroomError as error:
        problem = of(error)
        return Begun(upload=None, status=problem.status, reason=problem.detail)
    return Begun(upload=view, status=200 if view.id is None else 201)


async def _elsewhere(asked: Asked, upload_id: str, error: Conflict) -> Problem:
    """409 with the offset at which the upload stands, if it still does."""
    problem = of(error)
    try:
        now = await uploads.get(asked.actor, asked.core, upload_id)
    except DarkroomError:  # a wrong checksum ended it
        return problem
    problem.headers = {"Upload-Offset": str(now.received)}
    return problem


def _offset(request: Request) -> int:
    told = request.headers.get("Upload-Offset", "")
    if not (told.isascii() and told.isdigit() and len(told) < 19):
        raise Problem(400, "Say in Upload-Offset where this piece begins.")
    return int(told)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; 408 for one that stops coming."""
    coming = aiter(request.body)
    while True:
        try:
            async with asyncio.timeout(SLOWEST_S):
                piece = await anext(coming)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise Problem(408, "Nothing came for a minute; go on where it stopped.") from error
        yield piece


def _view(progress: Progress) -> UploadView:
    upload: Upload = progress.upload
    return UploadView(
        id=upload.id,
        status="open" if progress.file_id is None else "taken",
        name=upload.name,
        size=upload.size,
        offset=upload.received,
        file_id=progress.file_id,
    )


def _headers(view: UploadView) -> dict[str, str]:
    """As tus 1.0 and the draft of the IETF tell it."""
    return {
        "Upload-Offset": str(view.offset),
        "Upload-Length": str(view.size),
        "Upload-Complete": "?1" if view.offset == view.size else "?0",
        "Upload-Limit": f"max-append-size={PIECE}, max-age=86400",
    }
