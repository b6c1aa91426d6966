"""The open state of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.state.connection import Database, open_database
from tests.kit.state import add_household


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state of this test lies."""
    return tmp_path / "state" / "darkroom.sqlite"


@pytest.fixture
async def db(path: Path) -> AsyncIterator[Database]:
    """An open state with a household and no file."""
    async with open_database(path, SystemClock()) as database:
        await database.write(add_household)
        yield database
