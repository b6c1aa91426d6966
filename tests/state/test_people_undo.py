"""Decisions about people can be taken back, in any sequence, to exactly what was before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clock import SystemClock
from pipeline.errors import Conflict, Invalid, NotFound, Refused
from pipeline.state import migrate, people, people_decisions, people_journal
from pipeline.state.people_decisions import By
from tests.kit import people as made_up
from tests.kit.state import AT, OWNER, add_file, add_household

CLOCK = SystemClock()
BY = By(OWNER, "cli", CLOCK)
FACES, GROUPS = 12, 4
Tables = dict[str, list[tuple[Any, ...]]]


@contextmanager
def _album() -> Iterator[sqlite3.Connection]:
    """Twelve faces in four groups; the last face belongs to nobody."""
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.row_factory = sqlite3.Row
    migrate.migrate(con, at=AT, keep=lambda: None)
    con.execute("PRAGMA foreign_keys = ON")
    add_household(con)
    vectors, _ = made_up.faces(1, GROUPS, FACES // GROUPS, alike=0.8)
    for number, vector in enumerate(vectors):
        add_file(con, f"f{number:02}")
        people.learn(con, OWNER, f"f{number:02}", made_up.facts([vector]), AT)
    for group in range(GROUPS):
        con.execute(
            "INSERT INTO people (id, owner_id, created_at) VALUES (?, ?, ?)",
            (f"p{group}", OWNER, AT),
        )
    for number, face_id in enumerate(_ids(con, "faces")[:-1]):
        con.execute(
            "UPDATE faces SET person_id = ?, assigned_by = 'grouping', is_waiting = 0 WHERE id = ?",
            (f"p{number % GROUPS}", face_id),
        )
    try:
        yield con
    finally:
        con.close()


def _ids(con: sqlite3.Connection, table: str) -> list[str]:
    return [row["id"] for row in con.execute(f"SELECT id FROM {table} ORDER BY id")]


def _tables(con: sqlite3.Connection) -> Tables:
    """Everything that decisions are about."""
    wanted = {
        "people": "id, name, consent, is_hidden, cover_face_id, created_at",
        "faces": "id, person_id, assigned_by",
        "face_exclusions": "face_id, person_id",
        "people_apart": "one_id, other_id",
    }
    return {
        table: sorted(tuple(row) for row in con.execute(f"SELECT {columns} FROM {table}"))
        for table, columns in wanted.items()
    }


def _decide(con: sqlite3.Connection, draw: st.DrawFn | Any) -> None:
    """Any decision about anybody; what makes no sense is refused and changes nothing."""
    faces, persons = _ids(con, "faces"), _ids(con, "people")
    one, other = draw(st.sampled_from(faces)), draw(st.sampled_from(faces))
    who, whom = draw(st.sampled_from(persons)), draw(st.sampled_from(persons))
    kinds = ["name", "merge", "move", "split", "not", "yes", "no", "hide", "cover"]
    decision = draw(st.sampled_from(kinds))
    match decision:
        case "name":
            people_decisions.name(con, BY, who, draw(st.sampled_from(["Anna", "Ben", "Eva"])))
        case "merge":
            people_decisions.merge(con, BY, who, whom)
        case "move" | "split":
            people_decisions.move(con, BY, [one, other], who if decision == "move" else None)
        case "not":
            people_decisions.exclude(con, BY, [one])
        case "yes" | "no":
            people_decisions.answer(con, BY, one, other, is_same=decision == "yes")
        case "hide":
            people_decisions.hide(con, BY, who, is_hidden=draw(st.booleans()))
        case "cover":
            people_decisions.cover(con, BY, who, one)


def _tried(con: sqlite3.Connection, draw: Any) -> bool:
    con.execute("SAVEPOINT decision")
    try:
        _decide(con, draw)
    except Refused:
        con.execute("ROLLBACK TO decision")
        return False
    finally:
        con.execute("RELEASE decision")
    return True


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_undoing_the_newest_walks_back_through_every_state(data: st.DataObject) -> None:
    """After each undo the people are exactly what they were before the decision."""
    with _album() as con:
        states: list[Tables] = []
        for _ in range(data.draw(st.integers(1, 10))):
            before = _tables(con)
            if _tried(con, data.draw):
                states.append(before)
            else:
                assert _tables(con) == before
        while states:
            people_journal.undo(con, OWNER, None, CLOCK, actor="cli")
            assert _tables(con) == states.pop()
        with pytest.raises(NotFound):
            people_journal.undo(con, OWNER, None, CLOCK, actor="cli")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_undoing_an_older_one_is_refused_or_leaves_the_later_ones_whole(
    data: st.DataObject,
) -> None:
    """A decision that others build on stays; one that stands alone goes, whichever order."""
    with _album() as con:
        start = _tables(con)
        for _ in range(data.draw(st.integers(2, 6))):
            _tried(con, data.draw)
        while entries := people_journal.open_entries(con, OWNER):
            chosen = data.draw(st.sampled_from(entries))
            before = _tables(con)
            if not _undone(con, chosen.id):
                assert _tables(con) == before
                assert _undone(con, None)
            names = [row[1] for row in _tables(con)["people"] if row[1] is not None]
            assert len(names) == len(set(names))
        assert _tables(con) == start


def _undone(con: sqlite3.Connection, entry_id: str | None) -> bool:
    con.execute("SAVEPOINT undo")
    try:
        people_journal.undo(con, OWNER, entry_id, CLOCK, actor="cli")
    except Conflict:
        con.execute("ROLLBACK TO undo")
        return False
    finally:
        con.execute("RELEASE undo")
    return True


def test_a_name_given_away_meanwhile_does_not_come_back() -> None:
    """Undoing a renaming is refused while somebody else has the old name."""
    with _album() as con:
        people_decisions.name(con, BY, "p0", "Anna")
        renamed = people_decisions.name(con, BY, "p0", "Eva")
        people_decisions.name(con, BY, "p1", "Anna")
        assert not _undone(con, renamed)
        assert people.one(con, OWNER, "p0").name == "Eva"
        assert _undone(con, None)
        assert _undone(con, renamed)


def test_a_merge_takes_along_what_was_said_of_either() -> None:
    """What is apart from one is apart from both; a face that was neither's stays out."""
    with _album() as con:
        faces = _ids(con, "faces")
        people_decisions.answer(con, BY, faces[0], faces[2], is_same=False)
        people_decisions.exclude(con, BY, [faces[4]])  # not p0
        people_decisions.merge(con, BY, "p1", "p0")
        rows = con.execute("SELECT one_id, other_id FROM people_apart").fetchall()
        assert [tuple(row) for row in rows] == [("p1", "p2")]
        rows = con.execute("SELECT face_id, person_id FROM face_exclusions").fetchall()
        assert [tuple(row) for row in rows] == [(faces[4], "p1")]


def test_a_name_is_taken_once_however_it_is_written() -> None:
    """Two Annas would be one to whoever searches."""
    with _album() as con:
        people_decisions.name(con, BY, "p0", "  Zoë   Maria ")
        assert people.one(con, OWNER, "p0").name == "Zoë Maria"
        with pytest.raises(Conflict):
            people_decisions.name(con, BY, "p1", "ZOE\u0308 MARIA")
        for wrong in ("", "  ", "a" * 101, "a\x1b[31mb", "a\u202eb"):
            with pytest.raises(Invalid):
                people_decisions.name(con, BY, "p1", wrong)


def test_faces_that_are_gone_meanwhile_stop_no_undo() -> None:
    """A photo deleted since is left out; the rest is as it was."""
    with _album() as con:
        faces = _ids(con, "faces")
        people_decisions.merge(con, BY, "p0", "p1")
        con.execute("DELETE FROM faces WHERE id = ?", (faces[1],))
        people_journal.undo(con, OWNER, None, CLOCK, actor="cli")
        left = con.execute("SELECT count(*) FROM faces WHERE person_id = 'p1'").fetchone()[0]
        assert left == FACES // GROUPS - 1


def test_a_cover_is_chosen_and_undone() -> None:
    """The chosen face stands for somebody until it is undone or turns out to be somebody else."""
    with _album() as con:
        faces = [face.face.id for face in people.portraits(con, OWNER, "p1")]
        best = people.one(con, OWNER, "p1").cover
        chosen = next(face for face in faces if face != best)
        entry = people_decisions.cover(con, BY, "p1", chosen)
        assert people.one(con, OWNER, "p1").cover == chosen
        people_journal.undo(con, OWNER, entry, CLOCK, actor="cli")
        assert people.one(con, OWNER, "p1").cover == best
        people_decisions.cover(con, BY, "p1", chosen)
        people_decisions.move(con, BY, [chosen], "p2")
        assert people.one(con, OWNER, "p1").cover not in {chosen, None}


def test_a_cover_is_kept_when_two_become_one() -> None:
    """Whoever has chosen none takes over the other's."""
    with _album() as con:
        chosen = people.portraits(con, OWNER, "p2")[-1].face.id
        people_decisions.cover(con, BY, "p2", chosen)
        people_decisions.merge(con, BY, "p1", "p2")
        assert people.one(con, OWNER, "p1").cover == chosen


def test_a_cover_is_one_of_their_own_faces() -> None:
    """Nobody is shown by somebody else's face, or by one that is not there."""
    with _album() as con:
        others = people.portraits(con, OWNER, "p2")[0].face.id
        with pytest.raises(Invalid):
            people_decisions.cover(con, BY, "p1", others)
        with pytest.raises(NotFound):
            people_decisions.cover(con, BY, "p1", "nothing")
