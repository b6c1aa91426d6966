"""Answers that are kept until what they tell of changes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import Invalid
from pipeline.state import users
from pipeline.state.connection import Database, open_database, open_for_reading
from tests.kit.clock import FakeClock
from tests.kit.state import AT, OWNER

ALL = ("tags", "faces", "people", "files")
FILE = (
    "INSERT INTO media_files (id, owner_id, root_id, source_path, source_dir, bucket, take, size,"
    " mtime_ns, inode, state, found_at, updated_at)"
    " VALUES (?, ?, 'root', ?, x'', 'b', 'move', 1, 1, 1, 'done', ?, ?)"
)
TAG = "INSERT INTO tags (file_id, tag, source) VALUES ('one', ?, 'person')"
FACE = (
    "INSERT INTO faces (id, file_id, owner_id, x, y, w, h, score, sharpness)"
    " VALUES (?, 'one', ?, 0, 0, 1, 1, 1, 1)"
)
PERSON = "INSERT INTO people (id, owner_id, created_at) VALUES (?, ?, ?)"
CHANGES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "a tag": (TAG, ("sea",)),
    "another tag": ("UPDATE tags SET is_removed = 1", ()),
    "no tag": ("DELETE FROM tags", ()),
    "a face": (FACE, ("f2", OWNER)),
    "a face of somebody": ("UPDATE faces SET person_id = 'p1', assigned_by = 'person'", ()),
    "no face": ("DELETE FROM faces", ()),
    "a person": (PERSON, ("p2", OWNER, AT)),
    "a name": ("UPDATE people SET name = 'Anna'", ()),
    "a file": (FILE, ("two", OWNER, b"2", AT, AT)),
    "a file in the trash": ("UPDATE media_files SET state = 'trashed' WHERE id = 'one'", ()),
    "a tag replaced": (TAG.replace("INSERT", "INSERT OR REPLACE"), ("beach",)),
    "a tag or another": (f"{TAG} ON CONFLICT DO UPDATE SET source = 'person'", ("beach",)),
    "no file": ("DELETE FROM media_files WHERE id = 'one'", ()),
}


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """Two people with a file, a tag, a face and a person."""
    async with open_database(tmp_path / "state" / "darkroom.sqlite", FakeClock()) as db:
        await db.write(_begin)
        yield db


def _begin(con: sqlite3.Connection) -> None:
    for user in (OWNER, "other"):
        con.execute(
            "INSERT OR IGNORE INTO users (id, username, role, created_at)"
            " VALUES (?, ?, 'owner', ?)",
            (user, user, AT),
        )
    con.execute(
        "INSERT INTO roots (id, path, kind, take, owner_id, created_at)"
        " VALUES ('root', x'2f', 'inbox', 'move', ?, ?)",
        (OWNER, AT),
    )
    con.execute(FILE, ("one", OWNER, b"1", AT, AT))
    con.execute(FILE, ("theirs", "other", b"3", AT, AT))
    con.execute(TAG, ("beach",))
    con.execute(FACE, ("f1", OWNER))
    con.execute(PERSON, ("p1", OWNER, AT))


def _counting() -> tuple[Callable[[sqlite3.Connection, str], int], list[str]]:
    asked: list[str] = []

    def count(con: sqlite3.Connection, owner_id: str) -> int:
        asked.append(owner_id)
        return len(asked)

    return count, asked


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_changes_is_asked_for_again(db: Database, change: str) -> None:
    """Each way in which a row comes, changes or goes ends what was kept; nothing else does."""
    count, asked = _counting()
    assert await db.read_kept(ALL, count, OWNER) == 1
    assert await db.read_kept(ALL, count, OWNER) == 1
    await db.write(lambda con: con.execute(*CHANGES[change]).rowcount)
    assert await db.read_kept(ALL, count, OWNER) == 2
    await db.write(users.household)
    assert await db.read_kept(ALL, count, OWNER) == 2
    assert asked == [OWNER, OWNER]


@pytest.mark.parametrize("change", CHANGES)
async def test_what_is_noted_already_is_no_conflict(db: Database, change: str) -> None:
    """However a statement wants conflicts to end: those of the notes are none of its business."""

    def twice(con: sqlite3.Connection) -> None:
        con.execute(TAG, ("before",))
        con.execute(FACE, ("f0", OWNER))
        con.execute(PERSON, ("p0", OWNER, AT))
        con.execute(FILE, ("zero", OWNER, b"0", AT, AT))
        con.execute(*CHANGES[change])

    await db.write(twice)


async def test_what_others_change_is_nothing_to_us(db: Database) -> None:
    """A busy neighbour does not make everybody's lists be counted again."""
    count, asked = _counting()
    await db.read_kept(("tags", "files"), count, OWNER)
    await db.write(
        lambda con: con.execute("UPDATE media_files SET state = 'trashed' WHERE id = 'theirs'")
    )
    await db.write(lambda con: con.execute(FACE, ("f9", OWNER)))  # no such row is told of
    await db.read_kept(("tags", "files"), count, OWNER)
    assert asked == [OWNER]


async def test_a_write_that_failed_changed_nothing(db: Database) -> None:
    """What a failed write touched is rolled back with it."""
    count, asked = _counting()
    await db.read_kept(ALL, count, OWNER)

    def fail(con: sqlite3.Connection) -> None:
        con.execute(TAG, ("sea",))
        raise Invalid("no")

    with pytest.raises(Invalid):
        await db.write(fail)
    await db.read_kept(ALL, count, OWNER)
    assert asked == [OWNER]


async def test_an_answer_that_was_old_when_it_came_is_not_kept(db: Database) -> None:
    """Who asks after a write is answered by what it wrote, also when others were just asking."""
    tags: list[int] = []

    def used(con: sqlite3.Connection, owner_id: str) -> int:
        return int(con.execute("SELECT count(*) FROM tags").fetchone()[0])

    for number in range(30):
        asking = [asyncio.create_task(db.read_kept(("tags",), used, OWNER)) for _ in range(4)]
        await db.write(lambda con, number=number: con.execute(TAG, (f"tag {number}",)).rowcount)
        tags.append(await db.read_kept(("tags",), used, OWNER))
        await asyncio.gather(*asking)
    assert tags == list(range(2, 32))


async def test_who_cannot_write_keeps_nothing(db: Database) -> None:
    """Beside a Darkroom that runs, another process looks anew each time."""
    count, asked = _counting()
    async with open_for_reading(db.path, FakeClock()) as beside:
        await beside.read_kept(ALL, count, OWNER)
        await beside.read_kept(ALL, count, OWNER)
    assert len(asked) == 2


async def test_rewriting_the_file_leaves_the_watch_in_place(db: Database) -> None:
    """After the whole file was written anew changes are still noted."""
    count, _ = _counting()
    await db.rewrite()
    await db.read_kept(ALL, count, OWNER)
    await db.write(lambda con: con.execute(TAG, ("sea",)).rowcount)
    assert await db.read_kept(ALL, count, OWNER) == 2
