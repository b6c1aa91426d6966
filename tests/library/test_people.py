"""People in an album: found whatever the order, kept whatever comes, asked about where in doubt."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from pipeline.clock import SystemClock
from pipeline.errors import NotFound, TryLater
from pipeline.library import people as grouped
from pipeline.library.grouping import Bars
from pipeline.state import faces as face_rows
from pipeline.state import people, people_decisions, people_grouping
from pipeline.state.connection import Database, open_database
from pipeline.state.people_decisions import By
from tests.kit import people as made_up
from tests.kit.state import AT, OWNER, add_file, add_household

CLOCK = SystemClock()
BARS = Bars(close=0.52, same=0.48, joins=0.5, doubtful=0.35)
BY = By(OWNER, "cli", CLOCK)
Groups = frozenset[frozenset[str]]


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """An open state with a household."""
    async with _state(tmp_path / "state.sqlite") as database:
        yield database


@asynccontextmanager
async def _state(path: Path) -> AsyncIterator[Database]:
    async with open_database(path, CLOCK) as database:
        await database.write(add_household)
        yield database


async def _take(
    db: Database, vectors: made_up.Vectors, names: Sequence[str], *, at_once: int = 1
) -> None:
    """One picture for each face, grouped after every so many."""
    for number, (vector, name) in enumerate(zip(vectors, names, strict=True), 1):
        await db.write(add_file, name)
        await db.write(people.learn, OWNER, name, made_up.facts([vector]), AT)
        if number % at_once == 0:
            await grouped.catch_up(db, CLOCK, bars=BARS)
    await grouped.catch_up(db, CLOCK, bars=BARS)


async def _groups(db: Database) -> Groups:
    """Files by person; files whose face belongs to nobody are left out."""

    def read(con: sqlite3.Connection) -> Groups:
        found: dict[str, set[str]] = {}
        for row in con.execute("SELECT person_id, file_id FROM faces WHERE person_id IS NOT NULL"):
            found.setdefault(row["person_id"], set()).add(row["file_id"])
        return frozenset(frozenset(group) for group in found.values())

    return await db.read(read)


def _truth(names: Sequence[str], persons: Sequence[int]) -> Groups:
    return frozenset(
        frozenset(name for name, who in zip(names, persons, strict=True) if who == person)
        for person in set(persons)
    )


async def _face(db: Database, file: str) -> face_rows.Face:
    return (await db.read(face_rows.of_file, OWNER, file))[0]


async def test_any_order_of_arrival_gives_the_same_people(tmp_path: Path) -> None:
    """Orders and batch sizes, hard faces and easy ones: exactly the same groups each time."""
    vectors, _ = made_up.faces(5, 8, 6, alike=0.5)
    names = [f"f{number:02}" for number in range(len(vectors))]
    outcomes = set()
    for seed in range(6):
        order = list(range(len(vectors)))
        random.Random(seed).shuffle(order)
        async with _state(tmp_path / f"{seed}.sqlite") as db:
            await _take(db, vectors[order], [names[at] for at in order], at_once=1 + 7 * (seed % 3))
            outcomes.add(await _groups(db))
    assert len(outcomes) == 1
    assert len(outcomes.pop()) > 4


async def test_a_group_keeps_its_id_when_it_grows(db: Database) -> None:
    """What a person sees under one address stays there."""
    vectors, _ = made_up.faces(2, 2, 8, alike=0.75)
    names = [f"f{number:02}" for number in range(16)]
    await _take(db, vectors[[0, 1, 2, 8, 9, 10]], [names[at] for at in (0, 1, 2, 8, 9, 10)])
    before = {p.id for p in await db.read(people.listing, OWNER)}
    rest = [at for at in range(16) if at not in (0, 1, 2, 8, 9, 10)]
    await _take(db, vectors[rest], [names[at] for at in rest])
    after = await db.read(people.listing, OWNER)
    assert {p.id for p in after} == before
    assert [p.faces for p in after] == [8, 8]


async def test_less_than_three_faces_are_not_shown(db: Database) -> None:
    """Two pictures of somebody are no person yet, one more makes one."""
    vectors, _ = made_up.faces(2, 1, 3, alike=0.8)
    await _take(db, vectors[:2], ["a", "b"])
    assert await db.read(people.listing, OWNER) == []
    assert len(await db.read(people.listing, OWNER, few=True)) == 1
    await _take(db, vectors[2:], ["c"])
    assert [p.faces for p in await db.read(people.listing, OWNER)] == [3]


async def test_faces_of_one_picture_are_different_people(db: Database) -> None:
    """Twins beside each other stay two, unless somebody says that it is a mirror."""
    vectors, _ = made_up.faces(3, 1, 2, alike=0.95)
    await db.write(add_file, "twins")
    await db.write(people.learn, OWNER, "twins", made_up.facts(vectors), AT)
    await grouped.catch_up(db, CLOCK, bars=BARS)
    assert await _groups(db) == frozenset()
    ids = [face.id for face in await db.read(face_rows.of_file, OWNER, "twins")]
    await db.write(people_decisions.move, BY, ids, None)
    await grouped.catch_up(db, CLOCK, bars=BARS)
    assert [p.faces for p in await db.read(people.listing, OWNER)] == [2]


async def test_what_was_named_stays_and_takes_in_what_comes(db: Database) -> None:
    """A named person never loses a face to grouping, and gains the new ones."""
    vectors, truth = made_up.faces(4, 2, 10, alike=0.7)
    names = [f"f{number:02}" for number in range(20)]
    await _take(db, vectors[:5], names[:5])
    (who,) = await db.read(people.listing, OWNER)
    await db.write(people_decisions.name, BY, who.id, "Anna")
    await _take(db, vectors[5:], names[5:], at_once=4)
    anna = set(await db.read(people.files_of, OWNER, [who.id]))
    assert anna == {name for name, person in zip(names, truth, strict=True) if person == 0}
    assert await db.read(people.names_of, "f09") == ["Anna"]


async def test_doubtful_looks_are_asked_about_and_answers_last(db: Database) -> None:
    """Yes joins for ever, no is not asked again, whatever comes later."""
    child, grown, other = _looks(0.42)
    await _take(db, child, [f"c{n}" for n in range(4)])
    (anna,) = await db.read(people.listing, OWNER)
    await db.write(people_decisions.name, BY, anna.id, "Anna")
    await _take(db, np.concatenate([grown, other]), [*"ghij", *"opqr"])
    asked = await _questions(db)
    about = {frozenset(f[0] for f in files) for files in asked}
    assert about >= {frozenset("cg")} or about >= {frozenset("ch")}
    await db.write(_answer, "c0", "g", True)
    await db.write(_answer, "c0", "o", False)
    await grouped.catch_up(db, CLOCK, bars=BARS)
    assert await _questions(db) == []
    files = set(await db.read(people.files_of, OWNER, [anna.id]))
    assert files == {"c0", "c1", "c2", "c3", *"ghij"}
    await db.write(face_rows.group_anew, OWNER)
    await grouped.catch_up(db, CLOCK, bars=BARS)
    assert set(await db.read(people.files_of, OWNER, [anna.id])) == files


def _looks(alike: float) -> tuple[made_up.Vectors, made_up.Vectors, made_up.Vectors]:
    """Three looks of four faces; the second and the third are about so alike to the first."""
    random_ = np.random.default_rng(9)
    base = np.linalg.qr(random_.standard_normal((made_up.DIMS, 3)))[0].T
    rest = np.sqrt(1 - alike**2)
    middles = [base[0], alike * base[0] + rest * base[1], alike * base[0] + rest * base[2]]
    noise = random_.standard_normal((3, 4, made_up.DIMS)) * 0.02
    first, second, third = (middle + noise[at] for at, middle in enumerate(middles))
    return first, second, third


async def _questions(db: Database) -> list[tuple[str, ...]]:
    def read(con: sqlite3.Connection) -> list[tuple[str, ...]]:
        rows = con.execute(
            "SELECT a.file_id AS one, b.file_id AS other FROM people_questions q"
            " JOIN faces a ON a.id = q.one_face JOIN faces b ON b.id = q.other_face"
        )
        return [tuple(sorted((row["one"], row["other"]))) for row in rows]

    return await db.read(read)


def _answer(con: sqlite3.Connection, one: str, other: str, is_same: bool) -> None:
    ids = [face_rows.of_file(con, OWNER, file)[0].id for file in (one, other)]
    people_decisions.answer(con, BY, *ids, is_same=is_same)


async def test_a_decision_made_meanwhile_is_not_overwritten(db: Database) -> None:
    """Groups worked out from what was before a decision are thrown away."""
    vectors, _ = made_up.faces(6, 1, 4, alike=0.8)
    await _take(db, vectors[:3], list("abc"))
    (who,) = await db.read(people.listing, OWNER)
    await db.write(add_file, "d")
    await db.write(people.learn, OWNER, "d", made_up.facts(vectors[1:2]), AT)  # as like b as can be
    album = await db.read(people_grouping.album, OWNER)
    found = grouped.worked_out(album, CLOCK, BARS)
    face = await _face(db, "a")
    await db.write(people_decisions.exclude, BY, [face.id])
    assert await db.write(people_grouping.record, album, found, AT) is None
    await grouped.catch_up(db, CLOCK, bars=BARS)
    assert set(await db.read(people.files_of, OWNER, [who.id])) == {"b", "c", "d"}
    assert (await _face(db, "a")).person_id is None


async def test_nothing_waits_twice(db: Database) -> None:
    """What is grouped costs nothing until something comes; a purged photo's faces change groups."""
    vectors, _ = made_up.faces(6, 1, 4, alike=0.8)
    await _take(db, vectors, list("abcd"))
    assert await db.read(people_grouping.owners_waiting) == []
    await db.write(people.learn, OWNER, "a", {"faces": [], "embedder": made_up.EMBEDDER}, AT)
    assert await db.read(people_grouping.owners_waiting) == [OWNER]
    await grouped.catch_up(db, CLOCK, bars=BARS)
    assert await db.read(people_grouping.owners_waiting) == []
    assert await _groups(db) == {frozenset("bcd")}


async def test_grouping_rests_between_its_works(db: Database) -> None:
    """One who groups again and again takes a tenth of the time, however much there is to group."""
    vectors, _ = made_up.faces(6, 1, 4, alike=0.8)
    pace = grouped.Pace()
    await _take(db, vectors[:3], list("abc"))
    await db.write(face_rows.group_anew, OWNER)
    await grouped.catch_up(db, CLOCK, pace, BARS)
    await db.write(face_rows.group_anew, OWNER)
    pace.not_before += 3600
    with pytest.raises(TryLater):
        await grouped.catch_up(db, CLOCK, pace, BARS)
    assert await db.read(people_grouping.owners_waiting) == [OWNER]


async def test_owners_do_not_mix(db: Database) -> None:
    """The same faces in two families are two people, and nobody decides for the other."""
    vectors, _ = made_up.faces(6, 1, 3, alike=0.8)
    await _take(db, vectors, list("abc"))
    await db.write(add_household, "ben")
    for name, vector in zip("xyz", vectors, strict=True):
        await db.write(add_file, name, "ben")
        await db.write(people.learn, "ben", name, made_up.facts([vector]), AT)
    await grouped.catch_up(db, CLOCK, bars=BARS)
    (mine,) = await db.read(people.listing, OWNER)
    (theirs,) = await db.read(people.listing, "ben")
    assert mine.id != theirs.id
    with pytest.raises(NotFound):
        await db.write(people_decisions.name, BY, theirs.id, "Mine")


@pytest.mark.parametrize(
    ("box", "picture", "expected"),
    [
        ((30, 36), (1440, 1080), True),
        ((60, 70), (1440, 1080), False),
        ((90, 100), (5760, 4320), True),  # it was looked at with a quarter of its pixels
        ((20, 24), (23, 28), False),  # a portrait
    ],
)
def test_small_is_what_has_few_pixels_where_it_was_looked_at(
    box: tuple[int, int], picture: tuple[int, int], expected: bool
) -> None:
    """Great pictures are looked at smaller; a face that fills a tiny picture is none too small."""
    assert grouped.is_small(box, picture) is expected


async def test_faces_are_measured_in_upright_pictures(db: Database) -> None:
    """The sides of a turned photo change places; of a file without sides nothing is known."""
    vectors, _ = made_up.faces(4, 1, 2, alike=0.9)
    await _take(db, vectors, list("ab"))
    turned = "UPDATE media_files SET width = 400, height = 300, orientation = 6 WHERE id = 'a'"
    await db.write(lambda con: con.execute(turned).rowcount)
    album = await db.read(people_grouping.album, OWNER)
    told = {face.file_id: (face.picture, face.box) for face in album.faces}
    assert told["a"][0] == (300, 400)
    assert told["a"][1] == pytest.approx((0.8 * 300, 0.4 * 400))
    assert told["b"][0] is None
