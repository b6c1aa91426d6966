"""Finding files."""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import TooLarge
from pipeline.model import Category, FileState
from pipeline.state import files, migrate
from pipeline.state.files import Box, Cursor, Query
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


def _ids(con: sqlite3.Connection, query: Query, owner: str = OWNER) -> set[str]:
    return {row.id for row in files.find(con, owner, query).rows}


def test_words_are_found_wherever_people_look(con: sqlite3.Connection) -> None:
    """All words must occur in name, camera, place, title or tags, in any case and spelling."""
    add_file(con, "a", path="2023/Strand in Öland.jpg", camera="Canon EOS", place="Kalmar, Sweden")
    add_file(con, "b", path="2023/straße.jpg", title="100%_sure")
    con.execute("INSERT INTO tags (file_id, tag, source) VALUES ('b', 'Grandma', 'person')")
    add_file(con, "c", path=None, state="rejected", source_path=b"IMG_\xff.jpg")
    assert _ids(con, Query(words=("strand", "kalmar"))) == {"a"}
    assert _ids(con, Query(words=("öland",))) == {"a"}
    assert _ids(con, Query(words=("O\u0308LAND",))) == {"a"}
    assert _ids(con, Query(words=("0%_s", "grandma"))) == {"b"}
    assert _ids(con, Query(words=("%",))) == {"b"}
    assert _ids(con, Query(words=("img",))) == set()
    rejected = Query(words=("img",), states=(FileState.REJECTED,))
    assert _ids(con, rejected) == {"c"}
    assert _ids(con, Query(words=("strand", "nowhere"))) == set()


def test_each_part_narrows(con: sqlite3.Connection) -> None:
    """Kind, state, dates (inclusive, as written), camera and place on the map."""
    add_file(con, "p", taken_at="2023-07-31T23:59:59+02:00", camera="Nikon Z6", lat=59.3, lon=18.1)
    add_file(con, "v", category="video", taken_at="2023-08-01T00:00:00", lat=-17.0, lon=179.9)
    add_file(con, "s", category="sidecar")
    add_file(con, "u", category=None, state="rejected")
    assert _ids(con, Query()) == {"p", "v"}
    assert _ids(con, Query(categories=(), states=())) == {"p", "v", "s", "u"}
    assert _ids(con, Query(categories=(Category.VIDEO,))) == {"v"}
    assert _ids(con, Query(categories=(Category.UNKNOWN,), states=())) == {"u"}
    assert _ids(con, Query(until="2023-07")) == {"p"}
    assert _ids(con, Query(since="2023-07", until="2023")) == {"p", "v"}
    assert _ids(con, Query(since="2023-08-01")) == {"v"}
    assert _ids(con, Query(camera="nikon")) == {"p"}
    assert _ids(con, Query(box=files.around(59.33, 18.06, 10))) == {"p"}
    assert _ids(con, Query(box=Box(-20, 170, -10, -170))) == {"v"}
    assert _ids(con, Query(box=files.around(-17, -179.9, 50))) == {"v"}


def test_a_person_sees_only_their_own(con: sqlite3.Connection) -> None:
    """No function answers with a file of another owner."""
    add_household(con, "other")
    add_file(con, "mine", facts='{"a": 1}')
    add_file(con, "theirs", "other")
    assert _ids(con, Query(categories=(), states=())) == {"mine"}
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


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_pages_hold_every_file_once_newest_first(con: sqlite3.Connection, size: int) -> None:
    """Paging to the end meets each file once, the undated last, also where times are equal."""
    for number in range(40):
        taken = None if number % 4 == 0 else f"2024-01-{number % 9 + 1:02d}T00:00:00Z"
        add_file(con, f"f{number:02d}", taken_utc=taken)
    seen: list[tuple[str, str]] = []
    after: Cursor | None = None
    while True:
        page = files.find(con, OWNER, Query(), after=after, limit=size)
        seen += [(row.taken_utc or "", row.id) for row in page.rows]
        if (after := page.following) is None:
            break
    assert len(seen) == 40
    assert seen == sorted(seen, reverse=True)


def test_a_page_is_read_from_the_index(con: sqlite3.Connection) -> None:
    """The first page and a later one neither sort nor scan the whole table."""
    asked: list[str] = []
    con.set_trace_callback(asked.append)
    for after in (None, Cursor("2024-01-01T00:00:00Z", "f"), Cursor(None, "f")):
        files.find(con, OWNER, Query(), after=after)
    con.set_trace_callback(None)
    assert len(asked) == 3
    for sql in asked:
        plan = " ".join(row["detail"] for row in con.execute(f"EXPLAIN QUERY PLAN {sql}"))
        assert "media_files_taken" in plan
        assert "TEMP B-TREE" not in plan


ANY_TEXT = st.text(st.characters(), max_size=30)  # lone surrogates and NUL included
SPITEFUL = st.sampled_from(["'", '"', "\\", "%", "_", "'; DROP TABLE users; --", "\0", "?", ":a"])
TEXT = ANY_TEXT | SPITEFUL


@given(
    words=st.lists(TEXT, max_size=4),
    since=st.none() | TEXT,
    until=st.none() | TEXT,
    camera=st.none() | TEXT,
    cursor=st.none() | st.builds(Cursor, st.none() | TEXT, TEXT),
    box=st.none() | st.builds(Box, *[st.floats(allow_nan=False)] * 4),
    limit=st.integers(-5, 10_000_000),
)
def test_no_text_in_any_filter_is_ever_sql(  # noqa: PLR0917 - hypothesis passes them by name
    words: list[str],
    since: str | None,
    until: str | None,
    camera: str | None,
    cursor: Cursor | None,
    box: Box | None,
    limit: int,
) -> None:
    """T74: any text in any filter finds or does not find; it never errs and changes nothing."""
    query = Query(tuple(words), since=since, until=until, camera=camera, box=box)
    page = files.find(SHARED, OWNER, query, after=cursor, limit=limit)
    assert all(row.owner_id == OWNER for row in page.rows)
    assert SHARED.execute("SELECT count(*) FROM users").fetchone()[0] == 2


@given(word=st.text(min_size=1, max_size=12))
def test_a_title_is_found_by_its_own_words(word: str) -> None:
    """T74: whatever characters a title has, looking for exactly them finds it."""
    if "\0" in word:  # SQLite's LIKE ends a pattern there
        return
    SHARED.execute("SAVEPOINT t")
    add_file(SHARED, "titled", title=unicodedata.normalize("NFC", f"x{word}y"))
    found = _ids(SHARED, Query(words=(word,)))
    SHARED.execute("ROLLBACK TO t")
    assert "titled" in found


def test_more_words_than_anybody_types_are_refused(con: sqlite3.Connection) -> None:
    """A search cannot be made expensive at will."""
    with pytest.raises(TooLarge):
        files.find(con, OWNER, Query(words=("a",) * 17))
    with pytest.raises(TooLarge):
        files.find(con, OWNER, Query(words=("a" * 201,)))


@pytest.fixture(scope="module", autouse=True)
def _shared() -> Any:
    """One state for all examples: making one for each would take minutes."""
    global SHARED  # noqa: PLW0603 - hypothesis allows no function fixture here
    SHARED = _opened()
    add_household(SHARED, "other")
    add_file(SHARED, "a", title="a title", camera="Canon")
    add_file(SHARED, "b", "other")
    yield
    SHARED.close()


SHARED: sqlite3.Connection
