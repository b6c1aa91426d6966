"""From a query to the files that fit, newest taken first, page by page.

What is text goes to the index, as one expression where it can be one; the rest is asked of the
narrow table beside it, and only then of the files. A page is read from where the last one ended and
no further than it is full. Text a person typed is only ever bound, never spliced.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.finding import moments, words
from pipeline.finding.query import (
    ALL,
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
from pipeline.state import search
from pipeline.state.files import COLUMNS, IN_LIBRARY, FileRow, row_of

PAGE_LIMIT = 1_000
_COLUMNS = {
    Field.PERSON: "people",
    Field.TAG: "tags",
    Field.PLACE: "place",
    Field.TEXT: "text",
    Field.CAMERA: "camera",
    Field.LENS: "lens",
    Field.TITLE: "title",
    Field.NAME: "name",
    Field.IN: "folder",
}
_MARKS = {
    Mark.DAMAGED: "s.is_damaged = 1",
    Mark.LOCATED: "(s.lat IS NOT NULL AND s.lon IS NOT NULL)",
}
_SELECTED = ", ".join(f"m.{name}" for name in COLUMNS)
_KM_PER_DEGREE = 111.32
_CLOCKS_APART = timedelta(hours=15)  # between a local time and UTC, at most


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first; `following` is where the next page begins, None on the last."""

    rows: list[FileRow]
    following: int | None


@dataclass(frozen=True, slots=True)
class _Match:
    """An expression in the language of the index."""

    expression: str


@dataclass(frozen=True, slots=True)
class _Where:
    """A condition on the tables `s` and `m`, with what is bound in it."""

    condition: str
    values: tuple[Any, ...] = ()


_Part = _Match | _Where


def find(
    con: sqlite3.Connection,
    owner_id: str,
    query: Term,
    *,
    after: int | None = None,
    limit: int = 100,
) -> Page:
    """One page of this owner's files that fit `query`, latest taken first, undated ones last.

    Files of the library are meant unless the query asks for a state, and no sidecars unless it asks
    for them.
    """
    limit = max(1, min(limit, PAGE_LIMIT))
    sql, values = _statement(owner_id, query, after)
    found = con.execute(f"{sql} LIMIT ?", (*values, limit + 1)).fetchall()
    shown = found[:limit]
    following = int(shown[-1]["rank"]) if len(found) > limit else None
    return Page([row_of(row) for row in shown], following)


def ids(con: sqlite3.Connection, owner_id: str, query: Term) -> list[str]:
    """Every file that `find` would show, in its order, only by id."""
    sql, values = _statement(owner_id, query, None)
    return [row["id"] for row in con.execute(sql, values)]


def _statement(owner_id: str, query: Term, after: int | None) -> tuple[str, list[Any]]:
    terms = query.terms if isinstance(query, AllOf) else (query,)
    matches, rest = _split([_part(term) for term in terms])
    source, rank, wheres = "search_files s", "s.rank", []
    if matches:
        # CROSS JOIN keeps the order: the index first, from its newest hit on.
        source = "search CROSS JOIN search_files s ON s.rank = search.rowid"
        rank, wheres = "search.rowid", [_Where("search MATCH ?", (_together(matches),))]
    wheres += [*_bounds(rank, terms, after), _Where("s.owner_id = ?", (owner_id,))]
    wheres += [*_usual(query), *rest]
    condition = " AND ".join(where.condition for where in wheres)
    sql = (
        f"SELECT {_SELECTED}, s.rank AS rank FROM {source}"
        f" CROSS JOIN media_files m ON m.id = s.file_id WHERE {condition} ORDER BY {rank} DESC"
    )
    return sql, [value for where in wheres for value in where.values]


def _usual(query: Term) -> list[_Where]:
    """What is meant when nothing is said about it."""
    said = leaves(_affirmed(query))
    usual = []
    if not any(isinstance(leaf, InState) for leaf in said):
        marks = ", ".join("?" * len(IN_LIBRARY))
        usual.append(_Where(f"s.state IN ({marks})", IN_LIBRARY))
    if OfType(Category.SIDECAR) not in said:
        usual.append(_Where("s.category <> ?", (Category.SIDECAR,)))
    return usual


def _affirmed(query: Term) -> Term:
    """The terms of a query that name what is wanted, not what is excluded."""
    match query:
        case Not():
            return ALL
        case AllOf(terms) | AnyOf(terms):
            return AllOf(tuple(map(_affirmed, terms)))
        case _:
            return query


def _bounds(rank: str, terms: Sequence[Term], after: int | None) -> list[_Where]:
    """Where the page begins, and between which ranks what was taken in the times asked for lies."""
    bounds = [_Where(f"{rank} < ?", (after,))] if after is not None else []
    for term in terms:
        if isinstance(term, During) and term.since is not None:
            begin = _begin(term.since) - _CLOCKS_APART
            bounds.append(_Where(f"{rank} >= ?", (search.slot(begin),)))
        if isinstance(term, During) and term.until is not None:
            end = _begin(moments.after(term.until)) + _CLOCKS_APART
            bounds.append(_Where(f"{rank} < ?", (search.slot(end),)))
    return bounds


def _begin(period: str) -> datetime:
    return datetime.fromisoformat(f"{period}-01-01"[:10]).replace(tzinfo=UTC)


# --- terms -------------------------------------------------------------------------------------


def _part(term: Term) -> _Part:
    match term:
        case Text():
            return _Match(_phrase(term))
        case Not(inner):
            return _Where(f"NOT {_condition(_part(inner))}", _values(_part(inner)))
        case AllOf(terms):
            return _joined([_part(one) for one in terms], "AND")
        case AnyOf(terms):
            return _joined([_part(one) for one in terms], "OR")
        case During(since, until):
            return _during(since, until)
        case OfType(category):
            return _Where("s.category = ?", (category,))
        case InState(state):
            return _Where("s.state = ?", (state,))
        case Rated(least, most):
            return _Where("s.rating BETWEEN ? AND ?", (least, most))
        case Marked(mark):
            return _Where(_MARKS[mark])
        case Near():
            return _near(term)


def _phrase(term: Text) -> str:
    """Words next to each other; they hold no character that means something to the index."""
    text = words.folded(term.text)
    scope = f"{{{_COLUMNS[term.field]}}} : " if term.field else ""
    return f'{scope}"{text}"' + (" *" if term.is_prefix else "")


def _split(parts: Sequence[_Part]) -> tuple[list[str], list[_Where]]:
    matches = [part.expression for part in parts if isinstance(part, _Match)]
    return matches, [part for part in parts if isinstance(part, _Where)]


def _together(expressions: Sequence[str], joint: str = "AND") -> str:
    return f" {joint} ".join(f"({one})" for one in expressions)


def _joined(parts: Sequence[_Part], joint: str) -> _Part:
    """One expression of the index where all are; else each is asked for itself."""
    matches, wheres = _split(parts)
    if not wheres and matches:
        return _Match(_together(matches, joint))
    if not parts:
        return _Where("1")
    condition = f" {joint} ".join(map(_condition, parts))
    return _Where(f"({condition})", tuple(value for part in parts for value in _values(part)))


def _condition(part: _Part) -> str:
    if isinstance(part, _Match):
        return "s.rank IN (SELECT rowid FROM search WHERE search MATCH ?)"
    return part.condition


def _values(part: _Part) -> tuple[Any, ...]:
    return (part.expression,) if isinstance(part, _Match) else part.values


def _during(since: str | None, until: str | None) -> _Where:
    """NOT of it must hold for files without a date, so it is never NULL."""
    parts = ["s.taken_at IS NOT NULL"]
    parts += ["s.taken_at >= ?"] * (since is not None)
    parts += ["s.taken_at < ? || '~'"] * (until is not None)  # '~' sorts after all of a time
    bound = tuple(end for end in (since, until) if end is not None)
    return _Where(f"({' AND '.join(parts)})", bound)


def _near(term: Near) -> _Where:
    """A flat map around the place, which also goes on beyond 180 degrees."""
    shrink = max(math.cos(math.radians(term.lat)), 0.01)
    apart = "min(abs(s.lon - ?), 360.0 - abs(s.lon - ?))"
    distance = f"(s.lat - ?) * (s.lat - ?) + {apart} * {apart} * ?"
    bound = (term.lat, term.lat, *[term.lon] * 4, shrink**2, (term.km / _KM_PER_DEGREE) ** 2)
    return _Where(f"coalesce({distance} <= ?, 0)", bound)
