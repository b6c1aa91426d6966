"""The watch over the event loop, itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from blockbuster import BlockingError

from pipeline.service import configuring
from tests.web.site import open_site


async def test_a_blocking_call_is_seen_while_a_home_is_served(tmp_path: Path) -> None:
    """T48: the watch that the tests of the web stand under catches a fault seeded on purpose."""
    async with open_site(tmp_path / "home") as site:
        core = site.house.core
        with pytest.raises(BlockingError):
            configuring.stored_at(core.home.path, core.settings)
