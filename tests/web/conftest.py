"""A real server over a small family library, and clients that talk to it over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from quart import Request

from pipeline.errors import NotKnown
from pipeline.model import Actor
from tests.kit.served import serving
from tests.service.family import Family, open_family
from web.app import create_app


class OpenGate:
    """Believes the header `X-Actor`: `me` is the household, `role:...` the same in another role."""

    def __init__(self, household: Actor) -> None:
        self._household = household

    async def actor_of(self, request: Request) -> Actor | None:
        """See `web.contract.Gate`."""
        told = request.headers.get("X-Actor")
        if told is None:
            return None
        if told == "me":
            return self._household
        name, _, role = told.partition(":")
        if not role:
            raise NotKnown("These credentials are no good.")
        return replace(self._household, user_id=name or self._household.user_id, role=role)


@pytest.fixture
async def family(tmp_path: Path) -> AsyncIterator[Family]:
    """A small library with everything placed."""
    async with open_family(tmp_path / "home") as family:
        yield family


@pytest.fixture
async def address(family: Family) -> AsyncIterator[str]:
    """Where the server listens."""
    app = create_app(family.core, OpenGate(family.actor))
    async with serving(app, "127.0.0.1", 0) as address:
        yield address


@pytest.fixture
async def client(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """The household, asking."""
    async with httpx.AsyncClient(base_url=address, headers={"X-Actor": "me"}) as client:
        yield client


@pytest.fixture
async def stranger(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without credentials."""
    async with httpx.AsyncClient(base_url=address) as client:
        yield client
