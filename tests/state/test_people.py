"""Faces as rows: found, found again, and found by nobody any more."""

from __future__ import annotations

import copy
import sqlite3
from typing import Any

import pytest

from pipeline.model import JsonObject
from pipeline.state import faces, people, settings, studies
from pipeline.state.connection import Database
from tests.kit import people as made_up
from tests.kit.state import AT, OWNER, add_file, add_household


async def _learn(db: Database, facts: JsonObject, file: str = "one") -> None:
    await db.write(people.learn, OWNER, file, facts, AT)


async def _rows(db: Database) -> list[dict[str, Any]]:
    def read(con: sqlite3.Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in con.execute("SELECT * FROM faces ORDER BY x, id")]

    return await db.read(read)


async def test_the_same_facts_twice_change_nothing(db: Database) -> None:
    """Re-analysis is idempotent: rows, ids and all."""
    await db.write(add_file, "one")
    facts = made_up.facts(made_up.faces(1, 2, 1)[0])
    await _learn(db, facts)
    first = await _rows(db)
    await _learn(db, facts)
    assert len(first) == 2
    assert await _rows(db) == first


async def test_a_face_found_again_stays_who_it_is(db: Database) -> None:
    """A box that moved a little is the same face: its id, person and the decision stay."""
    await db.write(add_file, "one")
    vectors = made_up.faces(1, 2, 1)[0]
    await _learn(db, made_up.facts(vectors))
    before = await _rows(db)
    await db.write(_decide, before[0]["id"])
    await _learn(db, made_up.facts(vectors[::-1], shift=0.02))
    after = await _rows(db)
    assert [row["id"] for row in after] == [row["id"] for row in before]
    assert (after[0]["person_id"], after[0]["assigned_by"]) == ("anna", "person")
    assert after[0]["embedding"] == before[1]["embedding"]


async def test_what_is_not_found_any_more_goes_unless_somebody_decided(db: Database) -> None:
    """A face that only a machine believed in goes; one that a person knew stays."""
    await db.write(add_file, "one")
    await _learn(db, made_up.facts(made_up.faces(1, 3, 1)[0]))
    rows = await _rows(db)
    await db.write(_decide, rows[1]["id"])
    await _learn(db, {"faces": [], "embedder": made_up.EMBEDDER})
    assert [row["id"] for row in await _rows(db)] == [rows[1]["id"]]


async def test_a_visit_without_a_model_takes_no_embedding_away(db: Database) -> None:
    """Faces found while the embedding model is absent keep what they had."""
    await db.write(add_file, "one")
    facts = made_up.facts(made_up.faces(1, 1, 1)[0])
    await _learn(db, facts)
    bare = copy.deepcopy(facts)
    del bare["faces"][0]["embedding"]
    await _learn(db, bare)
    assert (await _rows(db))[0]["embedding"] is not None


async def test_with_recognition_off_no_embedding_is_kept(db: Database) -> None:
    """Even of a visit that began before it was switched off."""
    await db.write(add_file, "one")
    await db.write(settings.put, faces.RECOGNITION, False)
    assert not await db.read(people.recognition_is_on)
    facts = made_up.facts(made_up.faces(1, 2, 1)[0])
    result = studies.Result("faces", 1, "done", facts)
    await db.write(studies.remember, f"sha-{OWNER}-one", [result], [], AT)
    await _learn(db, facts)
    assert [row["embedding"] for row in await _rows(db)] == [None, None]
    (kept,) = await db.read(studies.results, f"sha-{OWNER}-one", {"faces": 1})
    assert "embedding" not in kept.facts["faces"][0]


@pytest.mark.parametrize(
    "face",
    [
        None, 3, {}, {"box": [0, 0, 1]}, {"box": [0, 0, 1, "x"], "score": 1},
        {"box": [0, 0, 0, 0], "score": 1}, {"box": [0, 0, float("nan"), 1], "score": 1},
    ],
)  # fmt: skip
async def test_what_is_no_face_is_left_out(db: Database, face: Any) -> None:
    """A worker that lies is not believed, and stops nothing."""
    await db.write(add_file, "one")
    good = made_up.facts(made_up.faces(1, 1, 1)[0])
    await _learn(db, {**good, "faces": [face, *good["faces"]]})
    assert len(await _rows(db)) == 1


async def test_embeddings_that_are_none_are_dropped(db: Database) -> None:
    """A face with a broken embedding is a face without one."""
    await db.write(add_file, "one")
    facts = made_up.facts(made_up.faces(1, 3, 1)[0])
    for face, broken in zip(facts["faces"], ("%%", "AAA=", 7), strict=True):
        face["embedding"] = broken
    facts["faces"][1]["embedding"] = "AAAA"  # three bytes are no float16
    await _learn(db, facts)
    assert {row["embedding"] for row in await _rows(db)} == {None}


async def test_names_are_said_only_where_they_may_be(db: Database) -> None:
    """Named people of a file, without those who are hidden or said no; nobody else's people."""
    await db.write(add_file, "one")
    await db.write(add_household, "ben")
    await _learn(db, made_up.facts(made_up.faces(1, 4, 1)[0]))
    rows = await _rows(db)
    for row, (name, consent, hidden) in zip(
        rows,
        [("Zoe", "yes", 0), ("Anna", "unknown", 0), ("Eva", "no", 0), ("Tom", "yes", 1)],
        strict=True,
    ):
        await db.write(_decide, row["id"], name, consent, hidden)
    assert await db.read(people.names_of, "one") == ["Anna", "Zoe"]
    assert [p.name for p in await db.read(people.listing, OWNER)] == ["Anna", "Eva", "Zoe"]
    assert await db.read(people.listing, "ben") == []
    assert (await db.read(people.find, OWNER, " anna ")).id == "Anna"
    assert await db.read(people.files_of, OWNER, ["Anna", "Zoe"]) == ["one"]
    assert await db.read(people.files_of, "ben", ["Anna"]) == []


def _decide(
    con: sqlite3.Connection,
    face_id: str,
    name: str = "anna",
    consent: str = "unknown",
    hidden: int = 0,
) -> None:
    con.execute(
        "INSERT INTO people (id, owner_id, name, consent, is_hidden, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (name, OWNER, name, consent, hidden, AT),
    )
    con.execute(
        "UPDATE faces SET person_id = ?, assigned_by = 'person' WHERE id = ?", (name, face_id)
    )
