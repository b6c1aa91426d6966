"""Finding goes on over pages until as many are found as were asked for."""

from __future__ import annotations

import pytest

from pipeline.library import placing
from pipeline.service import files
from pipeline.state import files as stored
from tests.library.world import TEMPLATE, add_many
from tests.service.family import Family


async def test_more_than_a_page_is_found(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the caller's, not that of one page; every file comes once."""
    world = family.world
    await placing.place(world.db, world.clock, world.home, TEMPLATE, await add_many(world, 40))
    monkeypatch.setattr(stored, "PAGE_LIMIT", 7)
    everything = await files.find(family.actor, family.core, files.query_of(()), limit=100)
    assert len({row.id for row in everything}) == len(everything) == 45
    some = await files.find(family.actor, family.core, files.query_of(()), limit=10)
    assert some == everything[:10]
