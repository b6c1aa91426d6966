"""The files as surfaces see them: one, a page of many, how many there are. Reading only.

The owner is a parameter of every function; text a person typed is only ever bound, never spliced.
Pages are keyset pages, newest first, so the thousandth costs what the first does.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import string
import unicodedata
from dataclasses import dataclass, fields
from typing import Any

from pipeline.errors import TooLarge
from pipeline.model import BundleRole, Category, FileState, JsonObject

IN_LIBRARY = (FileState.PLACING, FileState.PLACED, FileState.DONE, FileState.MISSING)
SHOWN = tuple(category for category in Category if category is not Category.SIDECAR)
PAGE_LIMIT = 1_000
WORDS_LIMIT, WORD_LIMIT = 16, 200
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file: the columns of `media_files` that anybody but its own room may want to see."""

    id: str
    owner_id: str
    root_id: str
    source_path: str  # below the root; os.fsencode gives back the bytes
    take: str
    size: int
    state: FileState
    sha256: str | None
    format: str | None
    category: Category | None
    mime: str | None
    path: str | None  # below the library
    bundle_id: str | None
    bundle_role: BundleRole | None
    duplicate_of: str | None
    is_damaged: bool
    reason: str | None
    taken_at: str | None
    taken_utc: str | None
    taken_from: str | None
    taken_confidence: float | None
    lat: float | None
    lon: float | None
    place: str | None
    width: int | None
    height: int | None
    orientation: int | None
    duration_s: float | None
    camera: str | None
    lens: str | None
    rating: int | None
    title: str | None
    found_at: str
    placed_at: str | None
    updated_at: str


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map, in degrees; `west > east` crosses the date line."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class Query:
    """What a person looks for. Every part narrows; an empty tuple or None does not."""

    words: tuple[str, ...] = ()  # each must occur in the name, camera, place, title or tags
    categories: tuple[Category, ...] = SHOWN
    states: tuple[FileState, ...] = IN_LIBRARY
    since: str | None = None  # local time taken: "2023", "2023-07", "2023-07-14" ...
    until: str | None = None  # the same, inclusive
    camera: str | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: where the next one begins."""

    taken_utc: str | None
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first; `following` is None on the last page."""

    rows: list[FileRow]
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many files, and their bytes, in one state and category."""

    state: FileState
    category: Category | None
    files: int
    bytes: int


_COLUMNS = ", ".join(field.name for field in fields(FileRow))
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_TIME = "coalesce(taken_utc, '')"  # as in the index media_files_taken
_TEXT = (
    "coalesce(path, '') || char(10) || CAST(source_path AS TEXT) || char(10) ||"
    " coalesce(camera, '') || char(10) || coalesce(place, '') || char(10) || coalesce(title, '')"
)


def get(con: sqlite3.Connection, owner_id: str, file_id: str) -> FileRow | None:
    """One file of this owner."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    return None if row is None else _row(row)


def at_path(con: sqlite3.Connection, owner_id: str, path: str) -> FileRow | None:
    """This owner's file at `path` below the library."""
    # Spelled out as in the partial index media_files_path, which bound values would not match.
    row = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE path = ? AND owner_id = ?"
        " AND state IN ('placing', 'placed', 'done', 'missing')",
        (_storable(path), owner_id),
    ).fetchone()
    return None if row is None else _row(row)


def facts(con: sqlite3.Connection, owner_id: str, file_id: str) -> JsonObject | None:
    """All that is known about one file of this owner, as the stages told it."""
    row = con.execute(
        "SELECT facts FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    return None if row is None else json.loads(row[0])


def find(
    con: sqlite3.Connection,
    owner_id: str,
    query: Query,
    *,
    after: Cursor | None = None,
    limit: int = 100,
) -> Page:
    """One page of this owner's files that fit `query`, latest taken first, undated ones last.

    Raises `TooLarge` for more words than anybody types.
    """
    limit = max(1, min(limit, PAGE_LIMIT))
    where, values = _conditions(owner_id, query)
    if after is not None:
        # The first comparison only tells SQLite where in the index to begin.
        where += f" AND {_TIME} <= ? AND ({_TIME}, id) < (?, ?)"
        taken = _storable(after.taken_utc or "")
        values += [taken, taken, _storable(after.id)]
    found = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE {where} ORDER BY {_TIME} DESC, id DESC LIMIT ?",
        (*values, limit + 1),
    )
    rows = [_row(row) for row in found]
    more = len(rows) > limit
    shown = rows[:limit]
    return Page(shown, Cursor(shown[-1].taken_utc, shown[-1].id) if more else None)


def counts(con: sqlite3.Connection, owner_id: str) -> list[Count]:
    """This owner's files by state and category."""
    rows = con.execute(
        "SELECT state, category, count(*) AS files, sum(size) AS bytes FROM media_files"
        " WHERE owner_id = ? GROUP BY state, category ORDER BY state, category",
        (owner_id,),
    )
    return [
        Count(FileState(row["state"]), _category(row["category"]), row["files"], row["bytes"])
        for row in rows
    ]


def around(lat: float, lon: float, km: float) -> Box:
    """The box that holds the circle of `km` around a place."""
    high = min(km / _KM_PER_DEGREE, 90.0)
    wide = min(high / max(math.cos(math.radians(lat)), 1e-6), 180.0)
    south, north = max(lat - high, -90.0), min(lat + high, 90.0)
    if wide >= 180.0:
        return Box(south, -180.0, north, 180.0)
    return Box(south, (lon - wide + 180) % 360 - 180, north, (lon + wide + 180) % 360 - 180)


def _conditions(owner_id: str, query: Query) -> tuple[str, list[Any]]:
    parts: list[str] = ["owner_id = ?"]
    values: list[Any] = [owner_id]

    def narrow(condition: str, *bound: Any) -> None:
        parts.append(condition)
        values.extend(bound)

    if query.categories:
        # Not yet looked at is unknown: the row has no category.
        marks = ", ".join("?" * len(query.categories))
        narrow(f"coalesce(category, 'unknown') IN ({marks})", *query.categories)
    if query.states:
        narrow(f"state IN ({', '.join('?' * len(query.states))})", *query.states)
    if query.since is not None:
        narrow("taken_at >= ?", _storable(query.since))
    if query.until is not None:
        narrow("taken_at < ? || '~'", _storable(query.until))  # '~' sorts after all of a time
    if query.camera is not None:
        narrow(*_like("camera", query.camera))
    if query.box is not None:
        narrow(*_inside(query.box))
    if len(query.words) > WORDS_LIMIT:
        raise TooLarge(f"A search may have {WORDS_LIMIT} words.", hint="Use fewer.")
    for word in query.words:
        text, *spellings = _like(f"({_TEXT})", word)
        tag, *_ = _like("tag", word)
        narrow(f"({text} OR id IN (SELECT file_id FROM tags WHERE {tag}))", *spellings, *spellings)
    return " AND ".join(parts), values


def _like(column: str, word: str) -> tuple[str, ...]:
    if len(word) > WORD_LIMIT:
        raise TooLarge(f"A word may have {WORD_LIMIT} letters.", hint="Use a shorter one.")
    patterns = sorted({f"%{_literal(spelling)}%" for spelling in _spellings(_storable(word))})
    return (" OR ".join([f"{column} LIKE ? ESCAPE '\\'"] * len(patterns)).join("()"), *patterns)


def _spellings(word: str) -> set[str]:
    """LIKE ignores case in ASCII only, and file names come composed or decomposed."""
    cases = {word, word.lower(), word.upper(), word.capitalize()}
    forms = {unicodedata.normalize(form, case) for form in ("NFC", "NFD") for case in cases}
    return {form.translate(_ASCII_LOWER) for form in forms}


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _storable(text: str) -> str:
    """A lone surrogate cannot be bound, and stands in no text we store."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _inside(box: Box) -> tuple[Any, ...]:
    joint = "AND" if box.west <= box.east else "OR"
    return (
        f"lat BETWEEN ? AND ? AND (lon >= ? {joint} lon <= ?)",
        *(box.south, box.north, box.west, box.east),
    )


def _row(row: sqlite3.Row) -> FileRow:
    values = dict(row)
    values["source_path"] = os.fsdecode(row["source_path"])
    values["state"] = FileState(row["state"])
    values["category"] = _category(row["category"])
    values["bundle_role"] = BundleRole(row["bundle_role"]) if row["bundle_role"] else None
    values["is_damaged"] = bool(row["is_damaged"])
    return FileRow(**values)


def _category(value: str | None) -> Category | None:
    return None if value is None else Category(value)
