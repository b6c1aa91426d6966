"""Tags as rows: whose they are, and what a journal line gives back."""

from __future__ import annotations

from pipeline.clock import SystemClock
from pipeline.state import jobs, journal, tags
from pipeline.state.connection import Database
from tests.kit.state import AT, OWNER, add_file, add_household

CLOCK = SystemClock()


async def _change(db: Database, owner: str, wanted: tags.Wanted) -> list[tags.Change]:
    return await db.write(tags.change, owner, ["one"], wanted, CLOCK, job_id="job", actor="cli")


async def _prepare(db: Database) -> None:
    await db.write(add_file, "one")
    await db.write(jobs.add, "job", "batch-retag", owner_id=OWNER, actor="cli", params={}, at=AT)


async def test_only_the_owner_tags(db: Database) -> None:
    """Somebody else's wish leaves no row behind and shows nothing."""
    await _prepare(db)
    await db.write(add_household, "ben")
    await _change(db, OWNER, tags.Wanted(add=("mine",)))
    assert await _change(db, "ben", tags.Wanted(add=("theirs",))) == []
    assert await db.read(tags.of, OWNER, "one") == ("mine",)
    assert await db.read(tags.of, "ben", "one") == ()


async def test_a_change_that_changes_nothing_leaves_no_line(db: Database) -> None:
    """A tag given twice or taken though absent is neither journaled nor an event."""
    await _prepare(db)
    await _change(db, OWNER, tags.Wanted(add=("a",)))
    await _change(db, OWNER, tags.Wanted(add=("a",), remove=("b",)))
    assert len(await db.read(journal.open_entries, "job", OWNER)) == 1


async def test_lines_reverted_in_any_order_undo_only_themselves(db: Database) -> None:
    """Two changes of one file, the older one reverted first: the younger one stays whole."""
    await _prepare(db)
    await _change(db, OWNER, tags.Wanted(add=("a", "b")))
    await _change(db, OWNER, tags.Wanted(add=("c",), remove=("b",)))
    lines = await db.read(journal.open_entries, "job", OWNER)
    older = next(line for line in lines if line.before == {"tags": {}})
    await db.write(tags.revert, [older], CLOCK, actor="cli")
    assert await db.read(tags.of, OWNER, "one") == ("c",)
