"""What the tests of intake share: a state with one person in it, and time that the test owns."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import timestamp
from pipeline.intake import roots
from pipeline.model import Root, RootKind, Take
from pipeline.state.connection import Database, open_database
from tests.kit.clock import FakeClock
from tests.kit.corpus import corpus

__all__ = ["corpus"]  # fixtures of the kit that are used here

OWNER = "person"
Make = Callable[..., Awaitable[Root]]


@pytest.fixture
def clock() -> FakeClock:
    """Time moves only when told to."""
    return FakeClock()


@pytest.fixture
async def db(tmp_path_factory: pytest.TempPathFactory, clock: FakeClock) -> AsyncIterator[Database]:
    """An empty state with one owner."""
    path = tmp_path_factory.mktemp("state") / "state.sqlite"
    async with open_database(path, clock) as opened:
        await opened.write(_add_owner, timestamp(clock.now()))
        yield opened


@pytest.fixture
def make_root(db: Database, clock: FakeClock) -> Make:
    """Make a root known: `await make_root(path, kind, take)`."""

    async def make(path: Path, kind: RootKind = RootKind.FOREIGN, take: Take = Take.COPY) -> Root:
        return await roots.ensure(db, clock, roots.Wanted(path, kind, take, OWNER))

    return make


def rows(con: sqlite3.Connection, statement: str, *values: object) -> list[dict[str, Any]]:
    """What a statement gives, as plain dictionaries."""
    return [dict(row) for row in con.execute(statement, values)]


def _add_owner(con: sqlite3.Connection, at: str) -> None:
    con.execute(
        "INSERT INTO users (id, username, role, created_at) VALUES (?, 'p', 'owner', ?)",
        (OWNER, at),
    )
