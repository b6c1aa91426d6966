"""Links for people without an account: the visitor's side, below `/s/`.

Whoever has the link may look whether it needs a password, and go in; only going in counts as a
view, because chats look at every link by themselves. Who is in has a cookie for this link alone.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import quote

from pydantic import Field
from quart import Response

from pipeline.errors import NotFound, NotKnown, RateLimited
from pipeline.service import shares
from pipeline.service.answers import FileRow
from pipeline.service.shares import Inside, Visit
from web import media as answering
from web.contract import Answer, Asked, Given, Resource, Taken
from web.cookies import pass_name, pass_of
from web.gate import is_secure
from web.paging import Paged, cut, links, values_of

RESOURCE = Resource("links", "What a link shows to people without an account.")


class LookView(Given):
    """What a link tells before anybody is let in."""

    needs_password: bool
    expires_at: str | None


class Password(Taken):
    """The link's password, where it has one."""

    password: Annotated[str, Field(max_length=1024)] | None = None


class InsideView(Given):
    """What the link shows. `download`: files not at all, without place and owner, or as they are.

    `left_out` counts files of the album that are others' to show.
    """

    title: str
    files: int
    left_out: int
    download: str
    shows_details: bool
    until: str | None


class Details(Given):
    """What a file is called, when, with what and where it was made."""

    name: str
    title: str | None
    taken_at: str | None
    camera: str | None
    place: str | None


class LinkedFile(Given):
    """A file that the link shows; `details` only where its owner tells them."""

    id: str
    category: str | None
    width: int | None
    height: int | None
    duration_s: float | None
    details: Details | None


class LinkedPage(Given):
    """A page of files, the newest taken first."""

    items: list[LinkedFile]
    next: str | None


@RESOURCE.get("/s/<token>/look", right=None, gives=LookView, is_rooted=True)
async def look(asked: Asked, token: str) -> LookView:
    """Whether the link is good, and needs a password. Counts nothing."""
    return LookView.model_validate(await shares.look(asked.core, token))


@RESOURCE.post(
    "/s/<token>/open",
    right=None,
    takes=Password,
    gives=InsideView,
    is_rooted=True,
    is_secret=True,
    rate="login",
    errors=(401,),
)
async def enter(asked: Asked, token: str, body: Password) -> Answer:
    """Go in: one view is counted. The cookie in the answer is good for two hours."""
    visit = await shares.enter(asked.core, token, body.password)
    inside = await shares.inside(asked.core, token, visit.token)
    cookie = _cookie(asked, token, visit)
    return Answer(_inside(inside, visit.until), headers={"Set-Cookie": cookie})


@RESOURCE.get("/s/<token>/inside", right=None, gives=InsideView, is_rooted=True)
async def inside(asked: Asked, token: str) -> InsideView:
    """What the link shows, to who went in."""
    return _inside(await shares.inside(asked.core, token, pass_of(asked.request, token)), None)


@RESOURCE.get("/s/<token>/files", right=None, gives=LinkedPage, query=Paged, is_rooted=True)
async def listing(asked: Asked, token: str, query: Paged) -> Answer:
    """The files that the link shows."""
    told = values_of(query.cursor, [str])
    after = str(told[0]) if told else None  # a file, not its date: that may not be told
    shown = pass_of(asked.request, token)
    found = await shares.page(asked.core, token, shown, after=after, limit=query.limit + 1)
    page, cursor = cut(found.rows, query.limit, lambda one: [one.id])
    items = [_file(row, shows_details=found.share.shows_details) for row in page]
    return Answer(LinkedPage(items=items, next=cursor), headers=links(asked.request, cursor))


@RESOURCE.get(
    "/s/<token>/files/<file_id>/content",
    right=None,
    is_rooted=True,
    is_raw=True,
    rate="media",
    media_types=("*/*",),
    errors=(206, 304, 403, 416, 503),
)
async def content(asked: Asked, token: str, file_id: str) -> Response:
    """The file, as far as the link gives it away; 503 while the copy for it is made."""
    shown = pass_of(asked.request, token)
    one = await shares.download(asked.core, token, shown, file_id)
    return await answering.respond(asked, one, download=True)


@RESOURCE.get(
    "/s/<token>/files/<file_id>/derivatives/<kind>",
    right=None,
    is_rooted=True,
    is_raw=True,
    rate="media",
    media_types=("image/*", "video/*"),
    errors=(206, 304, 416),
)
async def derivative(asked: Asked, token: str, file_id: str, kind: str) -> Response:
    """A thumbnail, preview or clip; none of them tells where it was made, or by whom."""
    shown = pass_of(asked.request, token)
    one = await shares.derivative(asked.core, token, shown, file_id, kind)
    return await answering.respond(asked, one)


@RESOURCE.post(
    "/s/<token>",
    right=None,
    is_rooted=True,
    is_raw=True,
    rate="login",
    status=303,
    media_types=("text/html",),
)
async def open_by_form(asked: Asked, token: str) -> Response:
    """Go in from the link's page, as a browser without scripts does it."""
    form = await asked.request.form
    headers = {"Location": f"/s/{quote(token, safe='')}", "Cache-Control": "no-store"}
    try:
        visit = await shares.enter(asked.core, token, form.get("password"))
        headers["Set-Cookie"] = _cookie(asked, token, visit)
    except NotKnown:
        headers["Location"] += "?failed"
    except RateLimited:
        headers["Location"] += "?slow"
    except NotFound:
        pass  # the page says that the link is not good
    return Response(b"", 303, headers)


# --- the pass ----------------------------------------------------------------------------------


def _cookie(asked: Asked, token: str, visit: Visit) -> str:
    secure = "; Secure" if is_secure(asked.core, asked.request) else ""
    lifetime = int(shares.VISIT.total_seconds())
    return (
        f"{pass_name(token)}={visit.token}; Path=/s/{token}; Max-Age={lifetime}; HttpOnly;"
        f" SameSite=Lax{secure}"
    )


# --- what is told ------------------------------------------------------------------------------


def _inside(one: Inside, until: str | None) -> InsideView:
    return InsideView(
        title=one.share.title,
        files=one.files,
        left_out=one.left_out,
        download=one.share.download,
        shows_details=one.share.shows_details,
        until=until,
    )


def _file(row: FileRow, *, shows_details: bool) -> LinkedFile:
    details = Details(
        name=PurePosixPath(row.path or row.source_path).name,
        title=row.title,
        taken_at=row.taken_at,
        camera=row.camera,
        place=row.place,
    )
    return LinkedFile(
        id=row.id,
        category=row.category,
        width=row.width,
        height=row.height,
        duration_s=row.duration_s,
        details=details if shows_details else None,
    )
