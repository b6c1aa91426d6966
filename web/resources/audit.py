"""The audit log: who did what, through which surface, before and after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from pydantic import Field
from quart import Response
from quart.wrappers.response import IterableBody

from pipeline.access.rights import Right
from pipeline.clock import timestamp
from pipeline.model import Json
from pipeline.service import audit
from pipeline.service.answers import LinesAsked as Which
from web.contract import Answer, Asked, Given, Moment, Resource, Taken
from web.media import disposition
from web.paging import Paged, cut, links, values_of

RESOURCE = Resource("audit", "Who did what, through which surface, before and after.")
Word = Annotated[str, Field(min_length=1, max_length=200)]
_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}


class LineView(Given):
    """One line; `hash` is that of this line and the hash before it."""

    seq: int
    at: str
    user_id: str
    role: str
    surface: str
    action: str
    subject: str
    before: dict[str, Json] | None
    after: dict[str, Json] | None
    hash: str


class LinePage(Given):
    """Lines, the newest first."""

    items: list[LineView]
    next: str | None


class FaultView(Given):
    """The first line that is not as it was written."""

    seq: int
    reason: str


class VerifiedView(Given):
    """What a check found. Note `head` down elsewhere, and send it with the next check."""

    lines: int
    head: str
    fault: FaultView | None


class Narrowed(Taken):
    """Which lines."""

    user_id: Word | None = None
    action: Word | None = None
    subject: Word | None = None
    since: Moment | None = None
    until: Moment | None = None

    def asked(self) -> Which:
        """As the state wants it."""
        since, until = (None if at is None else timestamp(at) for at in (self.since, self.until))
        return Which(self.user_id, self.action, self.subject, since, until)


class PagedLines(Paged, Narrowed):
    """Which lines, page by page."""


class Export(Narrowed):
    """Which lines, and how: one JSON object a line, or a table."""

    format: Literal["jsonl", "csv"] = "jsonl"


class Noted(Taken):
    """The head that an earlier check told."""

    head: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


@RESOURCE.get("/audit", right=Right.AUDIT_READ, gives=LinePage, query=PagedLines)
async def listing(asked: Asked, query: PagedLines) -> Answer:
    """Lines of the log, the newest first."""
    told = values_of(query.cursor, [int])
    before = int(told[0]) if told else None
    found = await audit.page(
        asked.actor, asked.core, query.asked(), before=before, limit=query.limit + 1
    )
    page, cursor = cut(found, query.limit, lambda one: [one.seq])
    items = [LineView.model_validate(audit.as_json(one)) for one in page]
    return Answer(LinePage(items=items, next=cursor), headers=links(asked.request, cursor))


@RESOURCE.get("/audit/verify", right=Right.AUDIT_READ, gives=VerifiedView, query=Noted)
async def verify(asked: Asked, query: Noted) -> VerifiedView:
    """Whether the chain is whole, from its first line to its last."""
    found = await audit.verify(asked.actor, asked.core, query.head)
    return VerifiedView.model_validate(found)


@RESOURCE.get(
    "/audit/export",
    right=Right.AUDIT_READ,
    query=Export,
    is_raw=True,
    media_types=("application/jsonl", "text/csv"),
)
async def export(asked: Asked, query: Export) -> Response:
    """The log, to be kept elsewhere. Cells of the table run nothing in a spreadsheet."""
    response = Response(None, content_type=_TYPES[query.format])
    response.headers["Content-Disposition"] = disposition("attachment", f"audit.{query.format}")
    response.headers["Cache-Control"] = "no-store"
    response.response = IterableBody(_bytes(asked, query))
    return response


async def _bytes(asked: Asked, wanted: Export) -> AsyncIterator[bytes]:
    async for text in audit.export(asked.actor, asked.core, wanted.format, wanted.asked()):
        yield text.encode()
