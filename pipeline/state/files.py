"""The files as surfaces see them: one, a page of many, how many there are. Reading only.

The owner is a parameter of every function; text a person typed is only ever bound, never spliced.
Pages are keyset pages, newest first, so the thousandth costs what the first does.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields

from pipeline.model import BundleRole, Category, FileState, JsonObject

IN_LIBRARY = (FileState.PLACING, FileState.PLACED, FileState.DONE, FileState.MISSING)
SHOWN = tuple(category for category in Category if category is not Category.SIDECAR)


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
class Count:
    """How many files, and their bytes, in one state and category."""

    state: FileState
    category: Category | None
    files: int
    bytes: int


COLUMNS = tuple(field.name for field in fields(FileRow))
_COLUMNS = ", ".join(COLUMNS)


def get(con: sqlite3.Connection, owner_id: str, file_id: str) -> FileRow | None:
    """One file of this owner."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    return None if row is None else row_of(row)


def get_many(con: sqlite3.Connection, owner_id: str, file_ids: Sequence[str]) -> dict[str, FileRow]:
    """Those of these files that are this owner's, by id."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE id IN (SELECT value FROM json_each(?))"
        " AND owner_id = ?",
        (json.dumps(list(file_ids)), owner_id),
    )
    return {row["id"]: row_of(row) for row in rows}


def in_bundle(con: sqlite3.Connection, owner_id: str, bundle_id: str) -> list[FileRow]:
    """What belongs together in a bundle of this owner; the file that people look at first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE bundle_id = ? AND owner_id = ?"
        " AND state NOT IN ('rejected', 'trashed', 'purged')"
        " ORDER BY bundle_role <> 'primary', path, id",
        (bundle_id, owner_id),
    )
    return list(map(row_of, rows))


def at_path(con: sqlite3.Connection, owner_id: str, path: str) -> FileRow | None:
    """This owner's file at `path` below the library."""
    # Spelled out as in the partial index media_files_path, which bound values would not match.
    row = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE path = ? AND owner_id = ?"
        " AND state IN ('placing', 'placed', 'done', 'missing')",
        (storable(path), owner_id),
    ).fetchone()
    return None if row is None else row_of(row)


def facts(con: sqlite3.Connection, owner_id: str, file_id: str) -> JsonObject | None:
    """All that is known about one file of this owner, as the stages told it."""
    row = con.execute(
        "SELECT facts FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    return None if row is None else json.loads(row[0])


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


def storable(text: str) -> str:
    """A lone surrogate cannot be bound, and stands in no text we store."""
    return text.encode("utf-8", "replace").decode("utf-8")


def row_of(row: sqlite3.Row) -> FileRow:
    """A row as a value. Its first columns must be `COLUMNS`: names are looked up slowly."""
    values = dict(zip(COLUMNS, row, strict=False))
    values["source_path"] = os.fsdecode(values["source_path"])
    values["state"] = FileState(values["state"])
    values["category"] = _category(values["category"])
    role = values["bundle_role"]
    values["bundle_role"] = BundleRole(role) if role else None
    values["is_damaged"] = bool(values["is_damaged"])
    return FileRow(**values)


def _category(value: str | None) -> Category | None:
    return None if value is None else Category(value)
