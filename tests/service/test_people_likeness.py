"""Photos like this one: found among what was looked at, of its owner alone."""

from __future__ import annotations

import base64
import sqlite3

import numpy as np
import pytest

from pipeline.errors import NotFound
from pipeline.library import likeness
from pipeline.model import Actor
from pipeline.service.likeness import photos_like
from pipeline.state import studies
from pipeline.state.studies import Result
from tests.kit.state import AT
from tests.service.family import Family

DIMS = 16


async def _look(family: Family, path: str, *numbers: float) -> None:
    vector = np.array([*numbers, *[0.0] * (DIMS - len(numbers))], "<f2")
    text = base64.b64encode(vector.tobytes()).decode()
    await family.world.db.write(_remember, family.ids[path], text)


def _remember(con: sqlite3.Connection, file_id: str, vector: str) -> None:
    (sha256,) = con.execute("SELECT sha256 FROM media_files WHERE id = ?", (file_id,)).fetchone()
    result = Result("features", 1, "done", {"vector": vector, "model": "made-up"})
    studies.remember(con, sha256, [result], [], AT)


async def test_the_likest_come_first(family: Family) -> None:
    """Without the photo itself, each with how like it is; as an index finds them."""
    one, two, three = family.photos
    await _look(family, one, 1.0)
    await _look(family, two, 0.6, 0.8)
    await _look(family, three, 0.8, 0.6)
    found = await photos_like(family.actor, family.core, one)
    assert [(like.file.path, round(like.similarity, 2)) for like in found] == [
        (three, 0.8), (two, 0.6),
    ]  # fmt: skip
    assert len(await photos_like(family.actor, family.core, one, limit=1)) == 1
    index = await family.world.db.read(likeness.fill, family.actor.user_id, DIMS)
    asked = np.array([1.0] + [0.0] * (DIMS - 1))
    ids = [match.id for match in index.search(asked, 3)]
    assert ids == [family.ids[path] for path in (one, three, two)]


async def test_what_was_not_looked_at_is_said(family: Family) -> None:
    """No empty answer for a photo without a vector, a broken one, or somebody else's."""
    one, two, three = family.photos
    await _look(family, one, 1.0)
    await family.world.db.write(_remember, family.ids[two], "no vector")
    await family.world.db.write(_remember, family.ids[three], "AAAAAAAA")  # of another model
    assert await photos_like(family.actor, family.core, one) == []
    with pytest.raises(NotFound):
        await photos_like(family.actor, family.core, two)
    with pytest.raises(NotFound):
        await photos_like(Actor("stranger", "owner", family.actor.surface), family.core, one)
