"""A family per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service.family import Family, open_family


@pytest.fixture
async def family(tmp_path: Path) -> AsyncIterator[Family]:
    """A small library with everything placed."""
    async with open_family(tmp_path / "home") as family:
        yield family
