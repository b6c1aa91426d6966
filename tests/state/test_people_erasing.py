"""Erasing: no byte of an embedding is left in the state, and what a person said stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import Busy, Invalid, NotFound
from pipeline.state import (
    analysis,
    people,
    people_decisions,
    people_erasing,
    people_grouping,
    people_journal,
    snapshots,
    studies,
)
from pipeline.state.connection import Database, open_database
from pipeline.state.people_decisions import By
from pipeline.state.studies import Result
from tests.kit import people as made_up
from tests.kit.state import AT, OWNER, add_file, add_household

CLOCK = SystemClock()
BY = By(OWNER, "cli", CLOCK)
Vectors = made_up.Vectors


async def _fill(db: Database, count: int = 6) -> Vectors:
    """One picture of Anna and Ben together after the other; Anna is named, Ben is a group."""
    vectors, _ = made_up.faces(1, 2, count, alike=0.8)
    for number in range(count):
        facts = made_up.facts(vectors[[number, count + number]])
        await db.write(_study, f"f{number}", facts)
    await db.write(_assign)
    return vectors


def _study(con: sqlite3.Connection, file: str, facts: dict[str, Any]) -> None:
    add_file(con, file)
    people.learn(con, OWNER, file, facts, AT)
    sha256 = f"sha-{OWNER}-{file}"
    studies.remember(con, sha256, [Result("faces", 1, "done", facts)], [], AT)
    analysis.keep(con, file, "faces", facts, 0.9, "made-up", 1, AT)


def _assign(con: sqlite3.Connection) -> None:
    for name, where in (("anna", "x < 0.4"), ("ben", "x > 0.4")):
        con.execute(
            "INSERT INTO people (id, owner_id, created_at) VALUES (?, ?, ?)", (name, OWNER, AT)
        )
        con.execute(
            f"UPDATE faces SET person_id = ?, assigned_by = 'grouping' WHERE {where}", (name,)
        )
    people_decisions.name(con, BY, "anna", "Anna")


def _traces(folder: Path, vectors: Vectors) -> list[str]:
    """Files below that hold the bytes or the text of one of these embeddings, or of a part."""
    needles = [vector.astype("<f2").tobytes()[:64] for vector in vectors]
    needles += [made_up.text(vector)[:64].encode() for vector in vectors]
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    )


async def _faces(db: Database) -> list[dict[str, Any]]:
    def read(con: sqlite3.Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in con.execute("SELECT * FROM faces ORDER BY file_id, x")]

    return await db.read(read)


@pytest.fixture
def unlink() -> Iterator[Callable[[Path], None]]:
    """How a test removes files."""
    yield Path.unlink


async def _rewrite_snapshots(
    db: Database, path: Path, unlink: Callable[[Path], None]
) -> list[Path]:
    unwanted = await db.read(people_erasing.unwanted)
    return snapshots.rewrite(path, lambda con: people_erasing.erase(con, unwanted), unlink)


async def test_recognition_off_leaves_no_byte(
    db: Database, path: Path, unlink: Callable[[Path], None]
) -> None:
    """Neither in the database, its log, nor a snapshot; names that persons gave stay."""
    vectors = await _fill(db)
    snapshots.take(path, CLOCK.now(), "by-hand")
    assert len(_traces(path.parent, vectors)) >= 2  # the check can find them
    assert await db.write(people_erasing.turn_off, CLOCK, actor="cli") == 12
    assert _traces(path.parent, vectors)  # rows are cleared, bytes are not yet
    await db.rewrite()
    assert await _rewrite_snapshots(db, path, unlink) == []
    assert _traces(path.parent, vectors) == []
    assert not await db.read(people.recognition_is_on)
    assert await db.read(people.names_of, "f0") == ["Anna"]
    assert [p.name for p in await db.read(people.listing, OWNER, few=True)] == ["Anna"]


async def test_a_snapshot_rewritten_is_a_good_one(
    db: Database, path: Path, unlink: Callable[[Path], None], tmp_path: Path
) -> None:
    """It can be put back, remembers that recognition is off, and is as old as it was."""
    await _fill(db)
    taken = snapshots.take(path, CLOCK.now(), "by-hand")
    await db.write(people_erasing.turn_off, CLOCK, actor="cli")
    await _rewrite_snapshots(db, path, unlink)
    (found,) = snapshots.listing(path)
    assert snapshots.is_good(found)
    assert found.at == taken.at.replace(microsecond=0)
    copy = tmp_path / "back" / "darkroom.sqlite"
    copy.parent.mkdir()
    copy.write_bytes(found.path.read_bytes())
    async with open_database(copy, CLOCK) as again:
        assert not await again.read(people.recognition_is_on)
        assert len(await _faces(again)) == 12


async def test_a_no_clears_one_person_and_nobody_else(
    db: Database, path: Path, unlink: Callable[[Path], None]
) -> None:
    """Ben's numbers are gone for good, his boxes stay without a name; Anna's are untouched."""
    vectors = await _fill(db)
    snapshots.take(path, CLOCK.now(), "by-hand")
    assert await db.write(people_erasing.consent, BY, "ben", "no") == 6
    await db.rewrite()
    await _rewrite_snapshots(db, path, unlink)
    assert _traces(path.parent, vectors[6:]) == []
    assert len(_traces(path.parent, vectors[:6])) == 2
    rows = await _faces(db)
    assert [bool(row["is_withheld"]) for row in rows] == [False, True] * 6
    assert [row["person_id"] for row in rows] == ["anna", None] * 6


async def test_who_said_no_is_never_named_again(db: Database) -> None:
    """Not by another visit, not by a decision, not by undoing an older one."""
    vectors = await _fill(db)
    ben = [row["id"] for row in await _faces(db) if row["person_id"] == "ben"]
    await db.write(people_decisions.name, BY, "ben", "Ben")
    await db.write(people_erasing.consent, BY, "ben", "no")
    await db.write(people.learn, OWNER, "f0", made_up.facts(vectors[[0, 6]]), AT)
    assert [row["embedding"] is None for row in await _faces(db)][:2] == [False, True]
    with pytest.raises(NotFound):
        await db.write(people_decisions.move, BY, ben[:1], "anna")
    with pytest.raises(Invalid):
        await db.write(people_decisions.name, BY, "ben", "Benjamin")
    open_ = await db.read(people_journal.open_entries, OWNER)
    assert [entry.action for entry in open_] == ["name"]  # Anna's: those of Ben are forgotten
    await db.write(people_journal.undo, OWNER, None, CLOCK, actor="cli")
    assert [row["person_id"] for row in await _faces(db)] == ["anna", None] * 6


async def test_recognition_on_asks_for_all_files_again(db: Database) -> None:
    """What was looked at meanwhile has no embeddings: it is due again, and nothing else is."""
    await _fill(db)
    await db.write(people_erasing.turn_off, CLOCK, actor="cli")
    assert await db.write(people_erasing.turn_on, CLOCK, actor="cli") == 6
    assert await db.read(people.recognition_is_on)
    assert await db.read(studies.results, f"sha-{OWNER}-f0", {"faces": 1}) == []
    assert await db.write(people_erasing.turn_on, CLOCK, actor="cli") == 0
    bare = made_up.facts(made_up.faces(1, 1, 1)[0])
    bare["faces"][0]["embedding"] = None  # as the stage tells it when it may not recognise
    await db.write(studies.remember, "sha", [Result("faces", 1, "done", bare)], [], AT)
    await db.write(studies.remember, "none", [Result("faces", 1, "done", {"faces": []})], [], AT)
    assert await db.write(people_erasing.turn_on, CLOCK, actor="cli") == 1


async def test_faces_of_purged_files_are_erased(db: Database, path: Path) -> None:
    """A photo deleted for good takes the faces on it along."""
    vectors = await _fill(db)
    await db.write(lambda con: _purge(con, "f0"))
    assert await db.write(people_erasing.forget_purged) == 2
    await db.write(lambda con: _forget_analyses(con, "f0"))
    await db.rewrite()
    assert _traces(path.parent, vectors[[0, 6]]) == []
    assert await db.read(people_grouping.owners_waiting) == [OWNER]


def _purge(con: sqlite3.Connection, file: str) -> None:
    con.execute("UPDATE media_files SET state = 'purged' WHERE id = ?", (file,))


def _forget_analyses(con: sqlite3.Connection, file: str) -> None:
    con.execute("DELETE FROM ai_analysis WHERE file_id = ?", (file,))


async def test_one_who_reads_elsewhere_puts_it_off(path: Path) -> None:
    """A view that another process still has open is told of; nothing is lost, later it works."""
    async with open_database(path, CLOCK, busy_timeout_s=0.1) as db:
        await db.write(add_household)
        vectors = await _fill(db)
        other = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM faces").fetchone()
        await db.write(people_erasing.turn_off, CLOCK, actor="cli")
        with pytest.raises(Busy):
            await db.rewrite()
        other.close()
        assert await db.read(people_erasing.must_rewrite)
        await db.rewrite()
        assert _traces(path.parent, vectors) == []


async def test_a_state_without_faces(tmp_path: Path) -> None:
    """Recognition is switched off where nothing was recognised yet."""
    async with open_database(tmp_path / "state.sqlite", CLOCK) as db:
        await db.write(add_household)
        assert await db.write(people_erasing.turn_off, CLOCK, actor="cli") == 0
        await db.rewrite()
