"""Finding goes on over pages until as many are found as were asked for."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from pipeline.errors import Invalid, NotFound
from pipeline.finding import language
from pipeline.library import placing
from pipeline.service import finding
from pipeline.state import search_find
from tests.library.world import TEMPLATE, add_many
from tests.service.family import LIVE, Family


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


async def test_pictures_like_one(family: Family) -> None:
    """The likest come first, narrowed by words; one that nobody looked at says so."""
    first, second, third = family.photos
    for path, x in ((first, 1.0), (second, 0.9), (third, 0.0)):
        vector = np.array([x, (1 - x * x) ** 0.5], "<f2").tobytes()
        row = await family.world.row(family.ids[path])
        await family.world.execute(
            "INSERT INTO stage_results VALUES (?, 'features', 1, 'done', ?, '')",
            row["sha256"],
            json.dumps({"vector": base64.b64encode(vector).decode(), "model": "m"}),
        )
    everything = finding.query_of(family.core, "")
    like = await finding.like(family.actor, family.core, first, everything)
    assert [row.path for row in like.rows] == [second, third]
    named = finding.query_of(family.core, f"name:{third.rpartition('/')[2]}")
    like = await finding.like(family.actor, family.core, first, named)
    assert [row.path for row in like.rows] == [third]
    with pytest.raises(NotFound):
        await finding.like(family.actor, family.core, LIVE, everything)


async def test_what_is_chosen_beside_the_words_narrows(family: Family) -> None:
    """Kind, state and dates given as options mean what they mean in the query."""
    query = finding.query_of(family.core, "img", kind="video", state="done", until="2030")
    assert language.written(query) == "img* type:video is:done until:2030"
    with pytest.raises(Invalid):
        finding.query_of(family.core, "", since="someday")
