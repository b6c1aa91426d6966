"""One file as surfaces see it."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import pytest

from pipeline.model import Category, FileState
from pipeline.state import files, migrate
from tests.kit.state import OWNER, add_file, add_household


def _opened() -> sqlite3.Connection:
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.row_factory = sqlite3.Row
    migrate.migrate(con, at="", keep=lambda: None)
    add_household(con)
    return con


@pytest.fixture
def con() -> Any:
    """A state in memory."""
    con = _opened()
    yield con
    con.close()


def test_a_person_sees_only_their_own(con: sqlite3.Connection) -> None:
    """No function answers with a file of another owner."""
    add_household(con, "other")
    add_file(con, "mine", facts='{"a": 1}')
    add_file(con, "theirs", "other")
    assert files.get(con, OWNER, "theirs") is None
    assert files.facts(con, OWNER, "theirs") is None
    assert files.facts(con, OWNER, "mine") == {"a": 1}
    assert [(c.state, c.category, c.files, c.bytes) for c in files.counts(con, OWNER)] == [
        (FileState.DONE, Category.PHOTO, 1, 1000)
    ]


def test_a_row_keeps_the_bytes_of_its_name(con: sqlite3.Connection) -> None:
    """A source name that is no text survives the way out."""
    name = b"bad \xff name \xe2\x80\xae.jpg"
    add_file(con, "a", source_path=name, is_damaged=1)
    row = files.get(con, OWNER, "a")
    assert row is not None
    assert os.fsencode(row.source_path) == name
    assert (row.is_damaged, row.category, row.state) == (True, Category.PHOTO, FileState.DONE)


def test_a_file_is_found_by_its_path_from_the_index(con: sqlite3.Connection) -> None:
    """Only what lies in the library has its path, and looking it up does not scan."""
    add_file(con, "a", path="2023/a.jpg")
    add_file(con, "b", path="2023/b.jpg", state="trashed")
    asked: list[str] = []
    con.set_trace_callback(asked.append)
    found = [files.at_path(con, OWNER, f"2023/{name}.jpg") for name in ("a", "b", "\udcff")]
    con.set_trace_callback(None)
    assert [row and row.id for row in found] == ["a", None, None]
    plan = con.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchone()["detail"]
    assert "media_files_path " in plan
