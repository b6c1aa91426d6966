"""A state in which three people and a stranger have files, albums and a team."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from tests.kit.sharing import open_state


@pytest.fixture
def con() -> Iterator[sqlite3.Connection]:
    """An open state with the village in it."""
    with open_state() as con:
        yield con
