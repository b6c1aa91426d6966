"""Clients of the live side: well-behaved, and not."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from pipeline.events import FileMissing, FileReleased, FlowResumed
from pipeline.state import events
from tests.kit.state import AT


def tell(con: sqlite3.Connection, subject: str, count: int = 1) -> None:
    """So many events about a file."""
    for _ in range(count):
        events.append(con, FileReleased(subject), actor="test", at=AT)


def tell_at_length(con: sqlite3.Connection, subject: str, count: int) -> None:
    """So many events of two kilobytes."""
    for _ in range(count):
        events.append(con, FileMissing(subject, "x" * 2_000), actor="test", at=AT)


def tell_everybody(con: sqlite3.Connection) -> None:
    """An event that nobody owns."""
    events.append(con, FlowResumed("flow"), actor="test", at=AT)


@asynccontextmanager
async def listening(
    address: str, query: str = "", actor: str | None = "me"
) -> AsyncIterator[ClientConnection]:
    """A WebSocket client."""
    headers = {} if actor is None else {"X-Actor": actor}
    url = f"{address.replace('http', 'ws', 1)}/api/v2/live{query}"
    async with connect(url, additional_headers=headers, max_size=1 << 24, proxy=None) as client:
        yield client


async def seqs(client: ClientConnection, count: int) -> list[int]:
    """The numbers of the next `count` events."""
    found: list[int] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            found += [one["seq"] for one in (await message(client)).get("events", ())]
    return found


async def message(client: ClientConnection) -> dict[str, Any]:
    """The next message."""
    told: dict[str, Any] = json.loads(await client.recv())
    return told


def deaf(address: str, after: int = 0) -> socket.socket:
    """A client that shakes hands and then never reads."""
    parts = urlsplit(address)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # before it is connected, to count
    made.connect((parts.hostname or "", parts.port or 0))
    key = base64.b64encode(os.urandom(16)).decode()
    made.sendall(
        f"GET /api/v2/live?after={after} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        "X-Actor: me\r\n\r\n".encode()
    )
    return made
