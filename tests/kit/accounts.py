"""A home whose owner can sign in, on a clock the test owns, and passwords that cost nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from config.settings import Settings
from pipeline.access import passwords
from pipeline.access.door import Caller, Recognised
from pipeline.core import Core, open_core
from pipeline.model import Actor, Surface
from pipeline.service import authenticating, links, sessions, signing_in, users
from pipeline.service.authenticating import Credentials
from pipeline.service.signing_in import Proven
from tests.kit.clock import FakeClock

PASSWORD = "seven wild geese fly"
HERE = Caller("192.0.2.7", "a test")


@dataclass(frozen=True, slots=True)
class House:
    """An open home whose first administrator is `anna`."""

    core: Core
    clock: FakeClock
    anna: Actor

    async def prove(self, name: str = "anna", password: str = PASSWORD) -> Proven:
        """Sign in as far as a password goes."""
        proven = await signing_in.with_password(self.core, name, password, HERE)
        assert isinstance(proven, Proven)
        return proven

    async def browser(self, name: str = "anna") -> str:
        """The cookie of a new session."""
        return (await sessions.start(self.core, await self.prove(name), HERE)).token

    async def program(self, name: str = "anna") -> sessions.Tokens:
        """The tokens of a new session."""
        return await sessions.start_tokens(self.core, await self.prove(name), HERE)

    async def invite(self, name: str, role: str = "viewer") -> Actor:
        """Somebody else, who has set the same password."""
        invited = await users.invite(self.anna, self.core, name, role)
        await links.redeem(self.core, invited.link.token, PASSWORD, HERE)
        return Actor(invited.user.id, role, Surface.WEB)

    async def cookie(self, token: str) -> Recognised:
        """Who comes in by a cookie."""
        return await authenticating.recognise(self.core, Credentials("cookie", token))

    async def bearer(self, token: str) -> Recognised:
        """Who comes in by a bearer token."""
        return await authenticating.recognise(self.core, Credentials("bearer", token))


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Argon2id with the least memory there is."""
    with mock.patch.multiple(passwords, MEMORY_KIB=8, PASSES=1):
        yield


@asynccontextmanager
async def open_house(
    path: Path, settings: Settings | None = None, clock: FakeClock | None = None
) -> AsyncIterator[House]:
    """Open a home, a new one with its first administrator, or one from before a restart."""
    clock = clock or FakeClock()
    with cheap_passwords():
        async with open_core(path, settings or Settings(), clock) as core:
            first = await links.first_administrator(core)
            if first is not None:
                await links.redeem(core, first.token, PASSWORD, HERE, username="Anna")
            yield House(core, clock, core.household(Surface.WEB))
