"""The index is right after every commit and every restore, and stands in nobody's way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipeline.clock import SystemClock
from pipeline.finding.query import ALL, Text
from pipeline.state import people, search, search_find, snapshots
from pipeline.state.connection import Database, open_database
from pipeline.state.files import FileRow
from tests.kit.state import AT, OWNER, add_file, add_household

CLOCK = SystemClock()


async def found(db: Database, word: str) -> list[str]:
    """The ids that a word finds."""

    def look(con: sqlite3.Connection) -> list[FileRow]:
        return search_find.find(con, OWNER, Text(word) if word else ALL).rows

    return [row.id for row in await db.read(look)]


async def test_what_is_committed_is_found_at_once(db: Database) -> None:
    """Readers see a file by its words as soon as its write was answered."""
    await db.write(add_file, "one", title="lighthouse")
    assert await found(db, "lighthouse") == ["one"]
    await db.write(lambda con: (con.execute("UPDATE media_files SET title = 'harbour'"), None)[1])
    assert (await found(db, "lighthouse"), await found(db, "harbour")) == ([], ["one"])


async def test_a_name_given_to_a_face_is_found_at_once(db: Database) -> None:
    """Naming, renaming and refusing somebody needs no other step."""
    await db.write(add_file, "one")

    def meet(con: sqlite3.Connection, name: str) -> None:
        con.execute("INSERT INTO people (id, owner_id, created_at) VALUES ('p', ?, '')", (OWNER,))
        con.execute(
            "INSERT INTO faces (id, file_id, owner_id, x, y, w, h, score, sharpness, person_id,"
            " assigned_by) VALUES ('f', 'one', ?, 0, 0, 1, 1, 1, 1, 'p', 'grouping')",
            (OWNER,),
        )
        con.execute("UPDATE people SET name = ?", (name,))

    await db.write(meet, "Ada")
    assert await db.read(people.names_of, "one") == ["Ada"]
    assert await found(db, "ada") == ["one"]
    await db.write(lambda con: (con.execute("UPDATE people SET consent = 'no'"), None)[1])
    assert await found(db, "ada") == []


async def test_a_snapshot_brings_its_index_along(path: Path) -> None:
    """After going back to a snapshot, what is found is what its rows say."""
    async with open_database(path, CLOCK) as db:
        await db.write(add_household)
        await db.write(add_file, "one", title="before")
        taken = await db.read(lambda _: snapshots.take(path, CLOCK.now(), "manual"))
        await db.write(add_file, "two", title="after")
    copy = path.parent / "copy.sqlite"
    copy.write_bytes(taken.path.read_bytes())
    async with open_database(copy, CLOCK) as db:
        assert await found(db, "") == await found(db, "before") == ["one"]
        await db.write(add_file, "three", title="before")
        assert set(await found(db, "before")) == {"one", "three"}


async def test_a_broken_index_stops_nothing(db: Database) -> None:
    """Rows are written also where the index cannot be; they wait for it to be mended."""
    await db.write(add_file, "one", title="before")
    await db.write(lambda con: (con.execute("DROP TABLE search"), None)[1])
    await db.write(add_file, "two", title="after")
    rows = await db.read(lambda con: con.execute("SELECT id FROM media_files").fetchall())
    assert {row["id"] for row in rows} == {"one", "two"}
    assert await db.read(search.waiting) == 1


async def test_learning_is_for_the_owner_alone(db: Database) -> None:
    """`learn` refreshes a file of its owner, and touches nobody else's."""
    await db.write(add_household, "ben")
    await db.write(add_file, "one", title="lighthouse")

    def break_and_learn(con: sqlite3.Connection, owner: str) -> int:
        con.execute("UPDATE search SET title = ''")
        search.learn(con, owner, "one", AT)
        sql = "SELECT count(*) FROM search WHERE title = 'lighthouse'"
        return int(con.execute(sql).fetchone()[0])

    assert await db.write(break_and_learn, "ben") == 0
    assert await db.write(break_and_learn, OWNER) == 1
