"""The server, watched: while it answers nothing of ours may block the event loop (T48)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from blockbuster import blockbuster_ctx

from pipeline.engine import zone_of
from web import server
from web.app import App

OURS = ["bot", "config", "integrations", "pipeline", "web"]


@asynccontextmanager
async def serving(app: App, host: str, port: int) -> AsyncIterator[str]:
    """As `web.server.serving`; a system call that can wait, in the loop's thread, raises."""
    zone_of(app.core.settings)  # asked of the system once, by the engine of one that works
    with blockbuster_ctx(scanned_modules=OURS) as watch:
        for call in watch.functions.values():  # a home that a test opens meanwhile answers nobody
            call.can_block_in("pipeline/core.py", {"open_core", "_open_as_owner"})
            call.can_block_in("config/settings.py", "load")
            call.can_block_in("pipeline/registry.py", "discover")
            call.can_block_in("workers/local.py", "open_workers")
        async with server.serving(app, host, port) as address:
            yield address
