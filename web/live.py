"""The live side: one WebSocket, and what it shares with the stream of events over plain HTTP.

A message is one JSON object: `seq` (where to resume with `?after=`), and `events` or `progress`
where there are any. Who does not read is cut off within seconds and holds up nobody; whoever's
session ends, or whose rights do, is let go within five.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quart import Quart, Websocket, websocket

from pipeline.access.rights import Right, require
from pipeline.core import Core
from pipeline.errors import Busy, DarkroomError, NotKnown
from pipeline.model import Actor
from pipeline.service import news
from pipeline.service.news import News, Sight, Wanted

if TYPE_CHECKING:
    from quart import Request

    from web.contract import Gate

PATH = "/api/v2/live"
TICKET_S = 30.0
MOST_TICKETS = 1_000
RECHECK_S = 3.0  # whether who listens still may
SEND_S = 5.0  # who takes not a byte for so long does not read
MESSAGES = 20  # from a client, in RECHECK_S; there is nothing to be said but "still here"
TRY_AGAIN, GOODBYE, NOT_KNOWN, TOO_MANY = 1013, 1000, 4401, 1008
ABORT = "darkroom.abort"  # where the server says how to drop a connection that takes nothing


@dataclass(frozen=True, slots=True)
class _Ticket:
    asking: Request  # who got it, and how they showed who they are
    until: float


class Live:
    """What all live connections of one application share."""

    def __init__(self, core: Core, gate: Gate) -> None:
        self.core = core
        self._gate = gate
        self._tickets: dict[str, _Ticket] = {}

    def ticket(self, asking: Request) -> str:
        """A word that opens one WebSocket, once, within half a minute, as whoever asks now."""
        now = self.core.clock.monotonic()
        for word in [word for word, known in self._tickets.items() if known.until < now]:
            del self._tickets[word]
        if len(self._tickets) >= MOST_TICKETS:
            raise Busy("Too many tickets are out.", hint="Use those you have.", after_s=TICKET_S)
        word = secrets.token_urlsafe(32)
        self._tickets[word] = _Ticket(asking, now + TICKET_S)
        return word

    def admitted(self, word: str) -> Request:
        """Who got this ticket, which is used up by that. Raises `NotKnown`."""
        found = self._tickets.pop(word, None)
        if found is None or found.until < self.core.clock.monotonic():
            raise NotKnown("This ticket is not good, or not any more.", hint="Get a new one.")
        return found.asking

    async def visitor(self, asking: Request | Websocket) -> Visitor:
        """Who asks, if they may listen. Raises `NotKnown` and `NotAllowed`."""
        visitor = Visitor(self, asking)
        await visitor.recheck()
        return visitor

    async def sight_of(self, asking: Request | Websocket) -> Sight:
        """What whoever asks may be told of at this moment. Raises as `visitor`."""
        actor: Actor | None = await self._gate.actor_of(asking)  # type: ignore[arg-type]  # of a WebSocket it reads the headers alone
        if actor is None:
            raise NotKnown("Sign in first.", hint="Send a session, or a ticket.")
        require(actor, Right.EVENTS_READ)
        return await news.sight(actor, self.core)


class Visitor:
    """Somebody who listens, looked at again every few seconds."""

    def __init__(self, live: Live, asking: Request | Websocket) -> None:
        self.sight: Sight | None = None
        self._live = live
        self._asking = asking
        self._checked_at = 0.0

    async def recheck(self) -> None:
        """Look again who this is. Raises `NotKnown` and `NotAllowed`."""
        self.sight = await self._live.sight_of(self._asking)
        self._checked_at = self._live.core.clock.monotonic()

    async def stream(self, after: int | None, wanted: Wanted) -> AsyncGenerator[News, None]:
        """News for as long as they may have them. Raises `NotKnown` and `NotAllowed`."""
        core = self._live.core
        start = await news.newest(core) if after is None else after
        async with aclosing(news.stream(core, self._look, start, wanted=wanted)) as told:
            async for one in told:
                if core.clock.monotonic() - self._checked_at >= RECHECK_S:
                    await self.recheck()
                yield one

    def _look(self) -> Sight:
        assert self.sight is not None, "a visitor is looked at before anything is told"
        return self.sight


def install(app: Quart, live: Live) -> None:
    """Give the application its WebSocket."""

    async def view() -> None:
        await _serve(live, websocket._get_current_object())  # type: ignore[attr-defined]  # of the proxy

    app.add_websocket(PATH, "live", view)


async def _serve(live: Live, socket: Websocket) -> None:
    """One connection, from its handshake to its end."""
    try:
        after, wanted = _asked(socket)
        word = socket.args.get("ticket")
        visitor = await live.visitor(socket if word is None else live.admitted(word))
    except (DarkroomError, ValueError):
        await socket.accept()  # only then a browser is told why
        await socket.close(NOT_KNOWN, "Sign in first, or get a new ticket.")
        return
    await socket.accept()
    code, why = await _until_over(live, socket, visitor, (after, wanted))
    await _close(socket, code, why)


async def _until_over(
    live: Live, socket: Websocket, visitor: Visitor, wish: tuple[int | None, Wanted]
) -> tuple[int, str]:
    """Tell until somebody ends it; with which code, and why."""
    telling = asyncio.create_task(_tell(socket, visitor, *wish), name="live: tell")
    hearing = asyncio.create_task(_hear(live, socket), name="live: hear")
    try:
        await asyncio.wait((telling, hearing), return_when=asyncio.FIRST_COMPLETED)
        ended = telling if telling.done() else hearing
        return await ended
    finally:
        for task in (telling, hearing):
            task.cancel()
        await asyncio.wait((telling, hearing))


async def _tell(
    socket: Websocket, visitor: Visitor, after: int | None, wanted: Wanted
) -> tuple[int, str]:
    try:
        async with aclosing(visitor.stream(after, wanted)) as told:
            async for one in told:
                for text in news.messages(one):
                    await socket.send(text)
    except Busy:
        return TRY_AGAIN, "Too slow: resume where you were."
    except DarkroomError:
        return NOT_KNOWN, "The session is over."
    return GOODBYE, ""


async def _hear(live: Live, socket: Websocket) -> tuple[int, str]:
    """What a client says means nothing; saying much ends it."""
    since, count = live.core.clock.monotonic(), 0
    while True:
        await socket.receive()
        now = live.core.clock.monotonic()
        if now - since > RECHECK_S:
            since, count = now, 0
        count += 1
        if count > MESSAGES:
            return TOO_MANY, "Nothing needs to be said here so often."


async def _close(socket: Websocket, code: int, why: str) -> None:
    """Say goodbye; who does not take even that is dropped."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            await socket.close(code, why)
            return
    abort = socket.scope.get("extensions", {}).get(ABORT)
    if abort is not None:
        abort["abort"]()


def _asked(socket: Websocket) -> tuple[int | None, Wanted]:
    """Where to begin and what is wanted. Raises `ValueError` for what makes no sense."""
    told = socket.args.get("after")
    names = tuple(filter(None, socket.args.get("names", "").split(",")))
    after = None if told is None else int(told)
    if after is not None and not 0 <= after < 1 << 62:
        raise ValueError("no such event")
    return after, Wanted(names)
