"""A family per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service.family import Family, open_family
from tests.service.village import Village, open_village


@pytest.fixture
async def family(tmp_path: Path) -> AsyncIterator[Family]:
    """A small library with everything placed."""
    async with open_family(tmp_path / "home") as family:
        yield family


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    """Four people over a small library."""
    async with open_village(tmp_path / "home") as village:
        yield village
