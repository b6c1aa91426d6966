"""An answer leaves in one piece: what is written in one turn of the loop becomes one system call.

ASGI sends head and body apart, and each `send` costs as much as the whole handling of a small
request. Everything else is uvicorn's own protocol.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

AT_ONCE = 64 << 10  # more than this is not worth joining


class Gathering:
    """A transport that writes at the end of the loop's turn; the rest it hands through."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write `data` soon, in order."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Write what waits, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()
            self._size = 0


class OnePieceProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, over a gathering transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """See `asyncio.Protocol`."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport, self.loop)))
