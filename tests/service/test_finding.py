"""Finding goes on over pages until as many are found as were asked for."""

from __future__ import annotations

import pytest

from pipeline.library import placing
from pipeline.service import finding
from pipeline.state import search_find
from tests.library.world import TEMPLATE, add_many
from tests.service.family import Family


async def test_more_than_a_page_is_found(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the caller's, not that of one page; every file comes once."""
    world = family.world
    await placing.place(world.db, world.clock, world.home, TEMPLATE, await add_many(world, 40))
    monkeypatch.setattr(search_find, "PAGE_LIMIT", 7)
    query = finding.query_of(family.core, "")
    everything = await finding.find(family.actor, family.core, query, limit=100)
    assert len({row.id for row in everything.rows}) == len(everything.rows) == 45
    assert everything.following is None
    some = await finding.find(family.actor, family.core, query, limit=10)
    assert some.rows == everything.rows[:10]
    rest = await finding.find(family.actor, family.core, query, limit=50, after=some.following)
    assert rest.rows == everything.rows[10:]
