"""A home whose owner can sign in, served, with clients that have cookie jars of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from config.settings import Settings
from tests.kit.accounts import PASSWORD, House, open_house
from tests.kit.served import serving
from web.app import create_app
from web.gate import AccountGate

API = "/api/v2"
OURS = {"Sec-Fetch-Site": "same-origin"}


class Site:
    """A served home, and clients of it."""

    def __init__(self, house: House, address: str) -> None:
        self.house = house
        self.address = address

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client with a cookie jar of its own."""
        return httpx.AsyncClient(base_url=self.address + API, headers=headers)

    @asynccontextmanager
    async def browser(self, name: str = "anna") -> AsyncIterator[httpx.AsyncClient]:
        """A browser that has signed in, on our own pages."""
        async with self.client(**OURS) as browser:
            told = {"username": name, "password": PASSWORD}
            answer = await browser.post("/auth/session", json=told)
            assert answer.status_code == 201, answer.text
            yield browser

    async def tokens(self, name: str = "anna") -> dict[str, Any]:
        """What a program gets."""
        async with self.client() as program:
            told = {"username": name, "password": PASSWORD}
            answer = await program.post("/auth/token", json=told)
            assert answer.status_code == 200, answer.text
            return dict(answer.json())


@asynccontextmanager
async def open_site(path: Path, settings: Settings | None = None) -> AsyncIterator[Site]:
    """A served home with its first administrator."""
    async with open_house(path, settings) as house:
        app = create_app(house.core, AccountGate(house.core))
        async with serving(app, "127.0.0.1", 0) as address:
            yield Site(house, address)
