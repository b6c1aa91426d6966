"""uvicorn's WebSocket, with a way to drop a connection whose other end takes nothing any more."""

from __future__ import annotations

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto import events

from web.live import ABORT


class Sockets(WSProtocol):
    """As uvicorn's; the scope's extension `ABORT` holds what drops it at once."""

    def handle_connect(self, event: events.Request) -> None:
        """Begin; the application runs only after this."""
        super().handle_connect(event)
        extensions = self.scope.setdefault("extensions", {})
        if extensions is not None:
            extensions[ABORT] = {"abort": self.transport.abort}
