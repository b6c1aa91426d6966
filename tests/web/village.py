"""A server over the village, and its people with their clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.kit.served import serving
from tests.service.village import Village, open_village
from tests.web.conftest import OpenGate
from web.app import create_app


@dataclass(frozen=True, slots=True)
class Clients:
    """Everybody with a client of their own; `stranger` has no account."""

    village: Village
    anna: httpx.AsyncClient
    ben: httpx.AsyncClient
    clara: httpx.AsyncClient
    dora: httpx.AsyncClient
    stranger: httpx.AsyncClient
    address: str


@asynccontextmanager
async def open_clients(base: Path) -> AsyncIterator[Clients]:
    """A new village at `base`, served."""
    async with AsyncExitStack() as stack:
        village = await stack.enter_async_context(open_village(base))
        app = create_app(village.core, OpenGate(village.anna))
        address = await stack.enter_async_context(serving(app, "127.0.0.1", 0))

        async def client(actor: str | None) -> httpx.AsyncClient:
            headers = {} if actor is None else {"X-Actor": actor}
            made = httpx.AsyncClient(base_url=address, headers=headers, timeout=30)
            return await stack.enter_async_context(made)

        people = [await client(who) for who in ("me", "ben:editor", "clara:guest", "dora:viewer")]
        yield Clients(village, *people, await client(None), address)
