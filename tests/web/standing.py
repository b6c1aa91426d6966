"""A served village in a thread of its own, for clients that block: real accounts, a real socket.

Its owner and a viewer come with what signs their requests; nobody is slowed down.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from pipeline.access.door import Caller
from pipeline.core import Core
from pipeline.model import Actor
from pipeline.service import sessions
from pipeline.service.signing_in import Proven
from tests.kit.accounts import cheap_passwords
from tests.service.village import Village, open_village
from web.app import create_app
from web.gate import AccountGate
from web.rates import POLICIES, Policy, Rates
from web.server import serving

HERE = Caller("127.0.0.1", "a test")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where it listens, who lives there, and the access tokens of people by name."""

    address: str
    village: Village
    tokens: dict[str, str]
    sessions: frozenset[str] = field(default_factory=frozenset)


@contextmanager
def standing(base: Path, port: int = 0) -> Iterator[Standing]:
    """A new one at `base`, until the block ends."""
    ready: threading.Event = threading.Event()
    made: list[Standing] = []
    end: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        over = asyncio.Event()
        async with open_village(base) as village:
            tokens = await _tokens(village)
            app = create_app(village.core, AccountGate(village.core))
            async with serving(app, "127.0.0.1", port) as address:
                ids = frozenset(one.session_id for one in tokens.values())
                shown = {name: one.access for name, one in tokens.items()}
                made.append(Standing(address, village, shown, ids))
                end.append((asyncio.get_running_loop(), over))
                ready.set()
                await over.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        finally:
            ready.set()

    unhindered = {name: Policy(name, 1_000_000, 1) for name in POLICIES}
    with mock.patch.object(Rates.__init__, "__defaults__", (unhindered,)), cheap_passwords():
        thread = threading.Thread(target=run, name="a standing village")
        thread.start()
        ready.wait()
        assert made, "the village could not be opened"
        try:
            yield made[0]
        finally:
            for loop, over in end:
                loop.call_soon_threadsafe(over.set)
            thread.join()


async def _tokens(village: Village) -> dict[str, sessions.Tokens]:
    """Sessions of programs, one for each of the people."""
    await village.core.db.write(_make_viewer)
    people = (village.anna, village.dora)
    return {
        name: await _signed_in(village.core, actor)
        for name, actor in zip(("owner", "viewer"), people, strict=True)
    }


def _make_viewer(con) -> None:
    con.execute("UPDATE users SET role = 'viewer' WHERE id = 'dora'")


async def _signed_in(core: Core, actor: Actor) -> sessions.Tokens:
    return await sessions.start_tokens(core, Proven(actor.user_id, "x", "password", False), HERE)
