"""What lies in the library, as scrubbing and rebuilding the state need to know it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.events import FileAltered
from pipeline.state import events

_ON_SHELF = "path IS NOT NULL AND state IN ('placed', 'done')"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A file that should lie at `path` below the library with these bytes."""

    id: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A known content; it may be lost, if it lies neither at `path` nor at `source`."""

    id: str
    path: str | None
    source: Path
    sha256: str


def count(con: sqlite3.Connection) -> int:
    """How many files should lie in the library."""
    row = con.execute(
        f"SELECT count(*) FROM media_files WHERE {_ON_SHELF} AND sha256 IS NOT NULL"
    ).fetchone()
    return int(row[0])


def page(con: sqlite3.Connection, after: str, limit: int) -> list[Shelved]:
    """The next files by id."""
    rows = con.execute(
        f"SELECT id, path, size, sha256 FROM media_files WHERE {_ON_SHELF} AND sha256 IS NOT NULL"
        " AND id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [Shelved(**dict(row)) for row in rows]


def altered(con: sqlite3.Connection, file: Shelved, at: str, *, actor: str) -> bool:
    """Tell, once per file, that its bytes differ from what was recorded; False if told before."""
    told = con.execute(
        "SELECT 1 FROM events WHERE subject = ? AND name = 'file.altered' LIMIT 1", (file.id,)
    ).fetchone()
    if told is None:
        events.append(con, FileAltered(file.id, file.path), actor=actor, at=at)
    return told is None


def unknown(con: sqlite3.Connection, paths: Sequence[str]) -> list[str]:
    """Those of these paths below the library that no file is said to lie at, or about to."""
    asked = json.dumps(list(paths))
    known = {
        row[0]
        for row in con.execute(  # all at once: paths have no index that every state is in
            "SELECT path FROM media_files WHERE path IN (SELECT value FROM json_each(:asked))"
            " UNION SELECT to_path FROM renames"
            "  WHERE to_path IN (SELECT value FROM json_each(:asked))"
            " UNION SELECT from_path FROM renames"
            "  WHERE from_path IN (SELECT value FROM json_each(:asked))",
            {"asked": asked},
        )
    }
    return [path for path in paths if path not in known]


def with_size(con: sqlite3.Connection, size: int) -> list[Lost]:
    """Living files of this size whose content is known."""
    rows = con.execute(
        "SELECT f.id, f.path, r.path AS root, f.source_path, f.sha256 FROM media_files f"
        " JOIN roots r ON r.id = f.root_id WHERE f.size = ? AND f.sha256 IS NOT NULL"
        " AND f.state IN ('studied', 'done', 'missing')",
        (size,),
    )
    return [
        Lost(
            row["id"],
            row["path"],
            Path(os.fsdecode(row["root"])) / os.fsdecode(row["source_path"]),
            row["sha256"],
        )
        for row in rows
    ]


def put(con: sqlite3.Connection, file_id: str, path: str, key: str, at: str) -> None:
    """The file was found at `path`: that is where it lies."""
    con.execute(
        "UPDATE media_files SET state = CASE state WHEN 'found' THEN 'found' ELSE 'done' END,"
        " path = ?, path_key = ?, reason = NULL, placed_at = coalesce(placed_at, ?), updated_at = ?"
        " WHERE id = ? AND state IN ('found', 'studied', 'done', 'missing')",
        (path, key, at, at, file_id),
    )
