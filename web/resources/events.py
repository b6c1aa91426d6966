"""What has happened: pages of the past, a stream of the present, tickets for the live socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from pydantic import Field
from quart import Response

from pipeline.access.rights import Right
from pipeline.errors import DarkroomError
from pipeline.service import news
from pipeline.service.news import News, Wanted
from web.contract import Answer, Asked, Given, Header, Resource, Taken
from web.live import SEND_S, TICKET_S, Live
from web.paging import LARGEST_PAGE
from web.problems import Problem

RESOURCE = Resource("events", "What has happened, numbered, and live.")
RETRY_MS = 1_000  # a browser comes back after so long


class EventView(Given):
    """One event."""

    seq: int
    at: str
    name: str
    version: int
    subject: str
    actor: str
    data: dict[str, Any]


class Events(Given):
    """Events in order. `seq` is the last one looked at: ask again with `after` set to it."""

    items: list[EventView]
    seq: int
    has_more: bool


class Ticket(Given):
    """Opens one WebSocket: `/api/v2/live?ticket=...`."""

    ticket: str
    expires_in_s: float


class WantedQuery(Taken):
    """What is wanted."""

    names: Annotated[str, Field(max_length=400, description="`file.,job.finished`")] = ""
    subject: Annotated[str, Field(max_length=200)] | None = None

    @property
    def wanted(self) -> Wanted:
        """The same as a value."""
        return Wanted(tuple(filter(None, self.names.split(","))), self.subject)


class PageQuery(WantedQuery):
    """Where to begin, and how far."""

    after: Annotated[int, Field(ge=0, lt=1 << 62, description="the last `seq` you have")] = 0
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 100


class StreamQuery(WantedQuery):
    """Where to begin; without `after` only what is to come is told."""

    after: Annotated[int, Field(ge=0, lt=1 << 62)] | None = None


@RESOURCE.get("/events", right=Right.EVENTS_READ, query=PageQuery, gives=Events)
async def listing(asked: Asked, query: PageQuery) -> Events:
    """Events that you may know of, oldest first.

    `names` are whole names or how they begin. A page may be empty while there is more: go on at
    its `seq`.
    """
    page = await news.page(
        asked.actor, asked.core, after=query.after, limit=query.limit, wanted=query.wanted
    )
    items = [EventView.model_validate(json.loads(one.text)) for one in page.events]
    return Events(items=items, seq=page.seq, has_more=page.has_more)


@RESOURCE.post("/live/tickets", right=Right.EVENTS_READ, gives=Ticket, status=201)
async def ticket(asked: Asked) -> Answer:
    """A one-time ticket for the live WebSocket, for those who cannot send a cookie."""
    word = _live(asked).ticket(asked.request)
    return Answer(Ticket(ticket=word, expires_in_s=TICKET_S))


@RESOURCE.get(
    "/events/stream",
    right=Right.EVENTS_READ,
    query=StreamQuery,
    is_raw=True,
    media_types=("text/event-stream",),
    says={"Last-Event-ID": Header("The number of the last event that came.", {"type": "integer"})},
    errors=(400,),
)
async def stream(asked: Asked, query: StreamQuery) -> Response:
    """Events and progress as they come, as server-sent events.

    Each event has its number as `id`, so that a browser resumes by itself with `Last-Event-ID`;
    without it and without `after` only what is to come is told. Progress has no number.
    """
    told = asked.request.headers.get("Last-Event-ID")
    after = query.after if told is None else _number(told)
    visitor = await _live(asked).visitor(asked.request)
    lines = _lines(visitor.stream(after, query.wanted))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = Response(lines, 200, headers, content_type="text/event-stream; charset=utf-8")
    response.timeout = None
    return response


async def _lines(told: AsyncGenerator[News, None]) -> AsyncIterator[bytes]:
    """The stream's text. Who does not take a piece of it within seconds is let go."""
    sending = asyncio.current_task()
    assert sending is not None, "a response is sent by a task"
    loop = asyncio.get_running_loop()
    yield f"retry: {RETRY_MS}\n\n".encode()
    try:
        async with aclosing(told) as pieces:
            async for one in pieces:
                patience = loop.call_later(SEND_S, sending.cancel)
                try:
                    yield _piece(one)
                finally:
                    patience.cancel()
    except DarkroomError:
        return  # too slow, or not known any more: the browser comes back, and is told then


def _piece(one: News) -> bytes:
    parts = [
        f"id: {event.seq}\nevent: {event.name}\ndata: {event.text}\n\n"
        for event in one.bulletin.events
    ]
    parts += [
        f"event: progress\ndata: {json.dumps(news.progress_json(progress))}\n\n"
        for progress in one.progress
    ]
    return "".join(parts or (": still here\n\n",)).encode()


def _live(asked: Asked) -> Live:
    assert asked.live is not None, "every endpoint has it"
    return asked.live


def _number(told: str) -> int:
    if told.isascii() and told.isdigit() and len(told) < 19:
        return int(told)
    raise Problem(400, "An event's number is a number.", "bad-event")
