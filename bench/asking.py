"""A client that costs next to nothing, so that a bench measures the server and not itself.

One request at a time on each connection, over plain streams: enough of HTTP/1.1 to talk to us.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: its status and its bytes."""

    status: int
    body: bytes

    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)


def request(
    method: str, path: str, *, key: str | None = None, body: object = None, more: str = ""
) -> bytes:
    """The bytes of a request; `more` are lines of its head, each with its line end."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}"
    if key is not None:
        head += f"X-API-Key: {key}\r\n"
    if body is not None:
        kind = "" if "Content-Type" in more else "Content-Type: application/json\r\n"
        head += f"{kind}Content-Length: {len(data)}\r\n"
    return head.encode() + b"\r\n" + data


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, asked: bytes) -> Answered:
        """Send a request, and read its answer to the end."""
        self._writer.write(asked)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        if b"\r\ntransfer-encoding: chunked" in head:
            return Answered(status, await self._chunks())
        at = head.find(b"\r\ncontent-length:")
        size = int(head[at + 17 : head.index(b"\r\n", at + 2)]) if at >= 0 else 0
        return Answered(status, await self._reader.readexactly(size) if size else b"")

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self._reader.readline(), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readline()
        await self._reader.readline()
        return b"".join(parts)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def connect(port: int) -> Line:
    """A new connection to this machine."""
    return Line(*await asyncio.open_connection("127.0.0.1", port))
