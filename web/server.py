"""The HTTP server: uvicorn, inside the core's own loop, stopped by its context.

Signals belong to the composition root; uvicorn gets none of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager

import uvicorn

from pipeline.errors import Invalid
from web.app import App
from web.sockets import Sockets
from web.wire import OnePieceProtocol

HEADERS_LIMIT = 64 << 10
WEBSOCKET_MESSAGE_LIMIT = 64 << 10
KEEP_ALIVE_S = 75
GOODBYE_S = 5
SWITCH_S = 0.001  # a thread that reads the state keeps the loop waiting no longer (5 ms otherwise)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; `ready` is set from then on."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to who owns the loop."""
        yield


@asynccontextmanager
async def serving(app: App, host: str, port: int) -> AsyncIterator[str]:
    """Answer requests at `host` and `port` (0: any free one) until the block ends; the address.

    Raises `Invalid` when the address cannot be had.
    """
    listening = _listening(host, port)
    patience = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()  # what start-up made stays: to look through it again holds up everybody for 0.1 s
    server = _Server(_config(app))
    task = asyncio.create_task(server.serve(sockets=[listening]), name="http server")
    try:
        await server.ready.wait()
        yield _address(host, listening)
    finally:
        server.should_exit = True
        await task
        listening.close()
        gc.unfreeze()
        sys.setswitchinterval(patience)


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=OnePieceProtocol,
        ws=Sockets,
        ws_per_message_deflate=False,  # a window for each client costs more than it saves
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,  # who asks through a trusted proxy is decided in one place, the gate
        server_header=False,
        date_header=True,
        h11_max_incomplete_event_size=HEADERS_LIMIT,
        ws_max_size=WEBSOCKET_MESSAGE_LIMIT,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GOODBYE_S,
    )


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Invalid(
            f"The web address {host}:{port} cannot be used: {error.strerror}.",
            hint="Choose another with the settings web.host and web.port.",
        ) from error
    listening.setblocking(False)
    return listening


def _address(host: str, listening: socket.socket) -> str:
    port = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"
