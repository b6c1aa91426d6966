"""Reading `media_files` for people: one file, or those that match a query, newest first.

Every function takes the owner whose files may be seen; a foreign file and an absent one look the
same. Changing rows is the business of the rooms that do the work.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.model import Category, FileState, JsonObject

_COLUMNS = (
    "id, root_id, source_path, take, size, state, sha256, format, category, mime, path, bundle_id,"
    " bundle_role, duplicate_of, is_damaged, reason, taken_at, taken_from, taken_confidence, lat,"
    " lon, place, width, height, orientation, duration_s, camera, lens, rating, title, found_at,"
    " placed_at"
)
_SHOWN = "('studied', 'placing', 'placed', 'done', 'missing')"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file as people see it. `path` is below the library, `source_path` below its root."""

    id: str
    root_id: str
    source_path: str
    take: str
    size: int
    state: FileState
    sha256: str | None
    format: str | None
    category: str | None
    mime: str | None
    path: str | None
    bundle_id: str | None
    bundle_role: str | None
    duplicate_of: str | None
    is_damaged: bool
    reason: str | None
    taken_at: str | None
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


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; what is not given does not restrict. Days are local ISO dates."""

    words: tuple[str, ...] = ()  # each must occur in name, title, camera, place or a tag
    category: Category | None = None
    state: FileState | None = None  # None: everything in the library or on its way there
    since: str | None = None
    until: str | None = None
    box: tuple[float, float, float, float] | None = None  # south, west, north, east
    limit: int = 100
    after: tuple[str, str] | None = None  # (taken_utc or '', id) of the last row seen


def get(con: sqlite3.Connection, file_id: str, owner_id: str) -> FileRow | None:
    """One file of this owner."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    return None if row is None else _file(row)


def at_path(con: sqlite3.Connection, path: str, owner_id: str) -> FileRow | None:
    """The file at `path` below the library."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE path = ? AND owner_id = ? AND state IN {_SHOWN}",
        (path, owner_id),
    ).fetchone()
    return None if row is None else _file(row)


def facts(con: sqlite3.Connection, file_id: str, owner_id: str) -> JsonObject:
    """Everything read from the file, as `metadata.facts.Facts.from_json` takes it."""
    row = con.execute(
        "SELECT facts FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    found: JsonObject = {} if row is None else json.loads(row["facts"])
    return found


def find(con: sqlite3.Connection, query: Query, owner_id: str) -> list[FileRow]:
    """The files that match, newest taken first; pages go on with `after`."""
    clauses = _Clauses(owner_id)
    for word in query.words:
        clauses.word(word)
    if query.state is None:
        clauses.add(f"state IN {_SHOWN}")
    else:
        clauses.add("state = ?", query.state)
    if query.category is not None:
        clauses.add("category = ?", query.category)
    if query.since is not None:
        clauses.add("taken_at >= ?", query.since)
    if query.until is not None:  # a prefix such as 2023-07 includes the whole month
        clauses.add("substr(taken_at, 1, ?) <= ?", len(query.until), query.until)
    if query.box is not None:
        south, west, north, east = query.box
        clauses.add("lat BETWEEN ? AND ? AND lon BETWEEN ? AND ?", south, north, west, east)
    if query.after is not None:
        clauses.add("(coalesce(taken_utc, ''), id) < (?, ?)", *query.after)
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE {clauses.text}"
        " ORDER BY coalesce(taken_utc, '') DESC, id DESC LIMIT ?",
        (*clauses.values, query.limit),
    )
    return [_file(row) for row in rows]


def bundle(con: sqlite3.Connection, file_ids: Sequence[str], owner_id: str) -> list[str]:
    """The ids of these files and of everything bundled with them, primaries first."""
    rows = con.execute(
        "WITH wanted AS (SELECT id, bundle_id FROM media_files"
        "  WHERE id IN (SELECT value FROM json_each(?)) AND owner_id = ?)"
        " SELECT id FROM media_files WHERE owner_id = ? AND (id IN (SELECT id FROM wanted)"
        "  OR bundle_id IN (SELECT bundle_id FROM wanted WHERE bundle_id IS NOT NULL))"
        " ORDER BY bundle_id, bundle_role <> 'primary', id",
        (json.dumps(list(file_ids)), owner_id, owner_id),
    )
    return [str(row["id"]) for row in rows]


def counts(con: sqlite3.Connection, owner_id: str) -> Mapping[tuple[str, str], tuple[int, int]]:
    """By (state, category): how many files and how many bytes."""
    rows = con.execute(
        "SELECT state, coalesce(category, 'unknown') AS category, count(*) AS files,"
        " sum(size) AS bytes FROM media_files WHERE owner_id = ? GROUP BY 1, 2",
        (owner_id,),
    )
    return {(row["state"], row["category"]): (row["files"], row["bytes"]) for row in rows}


@dataclass(slots=True)
class _Clauses:
    """Conditions joined by AND, with their values; values are only ever bound."""

    owner_id: str
    parts: list[str] = field(default_factory=list)
    bound: list[object] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " AND ".join(["owner_id = ?", *self.parts])

    @property
    def values(self) -> tuple[object, ...]:
        return (self.owner_id, *self.bound)

    def add(self, condition: str, *values: object) -> None:
        self.parts.append(f"({condition})")
        self.bound += values

    def word(self, word: str) -> None:
        """LIKE with the word's own wildcards made literal."""
        literal = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{literal}%"
        text = ("path", "CAST(source_path AS TEXT)", "title", "camera", "place", "taken_at")
        any_of = " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in text)
        tag = (
            "EXISTS (SELECT 1 FROM tags WHERE file_id = media_files.id AND tag LIKE ? ESCAPE '\\')"
        )
        self.add(f"{any_of} OR {tag}", *(pattern for _ in range(len(text) + 1)))


def _file(row: sqlite3.Row) -> FileRow:
    values = dict(row)
    values["source_path"] = os.fsdecode(values["source_path"])
    values["state"] = FileState(values["state"])
    values["is_damaged"] = bool(values["is_damaged"])
    return FileRow(**values)
