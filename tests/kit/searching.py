"""A second, slow way to answer a query: every file looked at, one by one, from its rows alone."""

from __future__ import annotations

import math
import re
import sqlite3
from datetime import date

from pipeline.finding import language, words
from pipeline.finding.query import (
    AllOf,
    AnyOf,
    During,
    Field,
    InState,
    Mark,
    Marked,
    Near,
    Not,
    OfType,
    Rated,
    Term,
    Text,
    leaves,
)
from pipeline.model import Category
from pipeline.state import migrate, search, search_find
from tests.kit.state import AT, OWNER

TODAY = date(2024, 5, 17)
_COLUMN = {
    Field.PERSON: "people",
    Field.TAG: "tags",
    Field.PLACE: "place",
    Field.IN: "folder",
}


def opened() -> sqlite3.Connection:
    """A state in memory, without a household."""
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.row_factory = sqlite3.Row
    migrate.migrate(con, at="", keep=lambda: None)
    return con


def found(con: sqlite3.Connection, text: str, owner: str = OWNER) -> list[str]:
    """What finding answers, all pages of it."""
    return found_by(con, language.read(text, TODAY), owner)


def found_by(
    con: sqlite3.Connection, query: Term, owner: str = OWNER, page: int = 1_000
) -> list[str]:
    """The ids that fit, as `find` answers them in pages."""
    search.settle(con, AT)
    seen: list[str] = []
    after: int | None = None
    while True:
        answer = search_find.find(con, owner, query, after=after, limit=page)
        seen += [row.id for row in answer.rows]
        if (after := answer.following) is None:
            return seen


def fitting(con: sqlite3.Connection, query: Term, owner: str = OWNER) -> set[str]:
    """The ids that fit, told by looking at every file."""
    said = [leaf for leaf in leaves(query) if _is_wanted(query, leaf)]
    rows = con.execute("SELECT * FROM media_files WHERE owner_id = ?", (owner,)).fetchall()
    answer = set()
    for row in rows:
        usual = row["state"] in ("placing", "placed", "done", "missing")
        is_shown = usual or any(isinstance(leaf, InState) for leaf in said)
        is_media = row["category"] != "sidecar" or OfType(Category.SIDECAR) in said
        if is_shown and is_media and _fits(con, row, query):
            answer.add(row["id"])
    return answer


def _is_wanted(query: Term, leaf: Term) -> bool:
    match query:
        case Not():
            return False
        case AllOf(terms) | AnyOf(terms):
            return any(_is_wanted(term, leaf) for term in terms)
    return query == leaf


def _fits(con: sqlite3.Connection, row: sqlite3.Row, query: Term) -> bool:
    match query:
        case AllOf(terms):
            return all(_fits(con, row, term) for term in terms)
        case AnyOf(terms):
            return any(_fits(con, row, term) for term in terms)
        case Not(term):
            return not _fits(con, row, term)
        case Text():
            return _says(con, row, query)
        case During(since, until):
            taken = row["taken_at"]
            return taken is not None and (since or "") <= taken < f"{until or '9'}~"
        case Rated(least, most):
            return least <= (row["rating"] or 0) <= most
        case OfType(category):
            return bool((row["category"] or "unknown") == category)
        case InState(state):
            return bool(row["state"] == state)
        case Marked(Mark.DAMAGED):
            return bool(row["is_damaged"])
        case Marked():
            return row["lat"] is not None and row["lon"] is not None
        case Near(lat, lon, km):
            return row["lat"] is not None and _km(row, lat, lon) <= km


def _km(row: sqlite3.Row, lat: float, lon: float) -> float:
    apart = abs(row["lon"] - lon)
    wide = min(apart, 360 - apart) * math.cos(math.radians(lat))
    return 111.32 * math.hypot(row["lat"] - lat, wide)


def _says(con: sqlite3.Connection, row: sqlite3.Row, term: Text) -> bool:
    line = search.line_of(con, row["id"])
    assert line is not None
    name = _COLUMN.get(term.field, term.field.value) if term.field else None
    texts = [getattr(line, name)] if name else [getattr(line, n) for n in line.__slots__]
    end = "" if term.is_prefix else r"(?!\S)"
    wanted = re.compile(rf"(?<!\S){re.escape(words.folded(term.text))}{end}")
    return any(wanted.search(text) for text in texts)
