"""uvicorn's WebSocket for clients that may be slow, silent or gone: none of them holds anything up.

What the kernel does not take at once is all that is ever kept for a client: one message. Whoever
takes not a byte of it for five seconds is dropped, whether it is being told something, pinged or
said goodbye to; and a client that floods us with pings while it does not read gets no answers.
"""

from __future__ import annotations

import asyncio
import socket

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto import events

from web import live

SEND_BUFFER = 64 << 10  # bytes of the kernel's; left alone it grows to megabytes for each client
LOOKS = 5  # in `SEND_S`


class Sockets(WSProtocol):
    """As uvicorn's; the scope's extension `ABORT` holds what drops it at once."""

    _watching: asyncio.TimerHandle | None = None
    _waiting = _stalled = 0  # bytes that the kernel has not taken, and at how many looks no fewer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Keep little for the other side: a write is done when the kernel has all of it."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER
        )
        transport.set_write_buffer_limits(high=0)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._unwatch()
        super().connection_lost(exc)

    def handle_connect(self, event: events.Request) -> None:
        """Begin; the application runs only after this."""
        super().handle_connect(event)
        extensions = self.scope.setdefault("extensions", {})
        if extensions is not None:
            extensions[live.ABORT] = {"abort": self.transport.abort}

    def handle_ping(self, event: events.Ping) -> None:
        """Answer, unless the other side does not take what it was sent before."""
        if self.writable.is_set():
            super().handle_ping(event)

    def pause_writing(self) -> None:
        """The kernel has not taken all: watch whether it goes on."""
        super().pause_writing()
        self._waiting, self._stalled = self.transport.get_write_buffer_size(), 0
        self._watch()

    def resume_writing(self) -> None:
        """It has taken all."""
        super().resume_writing()
        self._unwatch()

    def _watch(self) -> None:
        self._watching = self.loop.call_later(live.SEND_S / LOOKS, self._look)

    def _unwatch(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def _look(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._stalled = 0 if left < self._waiting else self._stalled + 1
        self._waiting = left
        if self._stalled >= LOOKS:
            self.transport.abort()
        else:
            self._watch()
