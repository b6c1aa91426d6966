"""What models said is kept once for each file and kind, and redone without a trace."""

from __future__ import annotations

from pipeline.state import analysis
from pipeline.state.connection import Database
from tests.kit.state import AT, OWNER, add_file, add_household

_LATER = "2025-01-01T00:00:00.000Z"
_SEEN = {"objects": [{"label": "dog", "score": 0.9, "box": [0, 0, 1, 1]}]}


async def test_the_same_again_changes_nothing(db: Database) -> None:
    """Analysing twice leaves the row as it was, with its time."""
    await db.write(add_file, "one")
    first = await db.write(analysis.keep, "one", "objects", _SEEN, 0.9, "ssd 1", 1, AT)
    again = await db.write(analysis.keep, "one", "objects", _SEEN, 0.9, "ssd 1", 1, _LATER)
    kept = await db.read(analysis.of, OWNER, "one")
    assert (first, again, len(kept)) == (True, False, 1)
    assert kept[0] == analysis.Analysis("one", "objects", _SEEN, 0.9, "ssd 1", 1, AT)


async def test_a_newer_model_takes_the_place_of_the_older(db: Database) -> None:
    """One row for each file and kind: the newest answer."""
    await db.write(add_file, "one")
    await db.write(analysis.keep, "one", "objects", _SEEN, None, "ssd 1", 1, AT)
    await db.write(analysis.keep, "one", "objects", {"objects": []}, None, "ssd 2", 2, _LATER)
    kept = await db.read(analysis.of, OWNER, "one")
    assert [(a.model, a.results, a.at) for a in kept] == [("ssd 2", {"objects": []}, _LATER)]


async def test_others_see_nothing(db: Database) -> None:
    """What was seen in a file is its owner's to know, and to have forgotten."""
    await db.write(add_file, "one")
    await db.write(add_household, "ben")
    await db.write(add_file, "two", "ben")
    for file_id in ("one", "two"):
        await db.write(analysis.keep, file_id, "objects", _SEEN, 0.9, "ssd 1", 1, AT)
    assert await db.read(analysis.of, "ben", "one") == []
    assert await db.read(analysis.one, "ben", "one", "objects") is None
    found = await db.read(analysis.of_many, "ben", ["one", "two"], "objects")
    assert list(found) == ["two"]
    assert await db.write(analysis.forget, "objects", "ben") == 1
    assert await db.read(analysis.one, OWNER, "one", "objects") is not None
    assert await db.write(analysis.forget, "objects") == 1
