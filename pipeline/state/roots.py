"""The directories Darkroom watches, and what it knows of each."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from pipeline.model import Root, RootKind, Take

_COLUMNS = "id, path, kind, take, owner_id, marker, device, state, reason"


@dataclass(frozen=True, slots=True)
class StoredRoot:
    """A root with what was last found out about it."""

    root: Root
    device: str | None  # the file system it was last seen on
    state: str  # 'online', 'offline' or 'asking'
    reason: str | None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that should lie below a root, at `path`."""

    id: str
    path: bytes
    is_missing: bool


def add(con: sqlite3.Connection, root: Root, device: str | None, at: str) -> None:
    """Remember a new root. Raises `sqlite3.IntegrityError` if its path is known."""
    con.execute(
        "INSERT INTO roots (id, path, kind, take, owner_id, marker, device, checked_at, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            root.id,
            os.fsencode(root.path),
            root.kind,
            root.take,
            root.owner_id,
            root.marker,
            device,
            at,
            at,
        ),
    )


def by_id(con: sqlite3.Connection, root_id: str) -> StoredRoot | None:
    """One root."""
    row = con.execute(f"SELECT {_COLUMNS} FROM roots WHERE id = ?", (root_id,)).fetchone()
    return _stored(row) if row else None


def by_path(con: sqlite3.Connection, path: Path) -> StoredRoot | None:
    """The root at exactly this path."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM roots WHERE path = ?", (os.fsencode(path),)
    ).fetchone()
    return _stored(row) if row else None


def by_marker(con: sqlite3.Connection, marker: str) -> StoredRoot | None:
    """The root whose marker file says `marker`, wherever it was last."""
    row = con.execute(f"SELECT {_COLUMNS} FROM roots WHERE marker = ?", (marker,)).fetchone()
    return _stored(row) if row else None


def listing(con: sqlite3.Connection) -> list[StoredRoot]:
    """All roots, oldest first."""
    return [_stored(row) for row in con.execute(f"SELECT {_COLUMNS} FROM roots ORDER BY id")]


def change(con: sqlite3.Connection, root: Root) -> None:
    """Store path, kind, take and marker of a root that is known by its id."""
    con.execute(
        "UPDATE roots SET path = ?, kind = ?, take = ?, marker = ? WHERE id = ?",
        (os.fsencode(root.path), root.kind, root.take, root.marker, root.id),
    )


def note(
    con: sqlite3.Connection,
    root_id: str,
    state: str,
    *,
    reason: str | None,
    device: str | None,
    at: str,
) -> None:
    """Store how a root was found; a `device` of None keeps the last known one."""
    con.execute(
        "UPDATE roots SET state = ?, reason = ?, device = coalesce(?, device), checked_at = ?"
        " WHERE id = ?",
        (state, reason, device, at, root_id),
    )


# --- what should lie there ---------------------------------------------------------------------

# A library holds what was placed; any other root must still hold what is indexed where it lies.
_IN_LIBRARY = "path IS NOT NULL AND state IN ('placed', 'done', 'missing')"
_INDEXED = "root_id = ? AND take = 'index' AND state IN ('done', 'missing')"


def known_files(con: sqlite3.Connection, root: Root, after: str, limit: int) -> list[KnownFile]:
    """Files that should lie below `root` for good: up to `limit` of them with ids past `after`."""
    if root.kind is RootKind.LIBRARY:
        rows = con.execute(
            f"SELECT id, CAST(path AS BLOB) AS path, state FROM media_files"
            f" WHERE {_IN_LIBRARY} AND id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
    else:
        rows = con.execute(
            f"SELECT id, source_path AS path, state FROM media_files"
            f" WHERE {_INDEXED} AND id > ? ORDER BY id LIMIT ?",
            (root.id, after, limit),
        )
    return [KnownFile(row["id"], bytes(row["path"]), row["state"] == "missing") for row in rows]


def sample(con: sqlite3.Connection, root_id: str, count: int) -> list[bytes]:
    """Paths of up to `count` files seen below the root and never taken away, newest first."""
    rows = con.execute(
        "SELECT source_path FROM media_files WHERE root_id = ? AND take <> 'move'"
        " AND state NOT IN ('missing', 'purged') ORDER BY id DESC LIMIT ?",
        (root_id, count),
    )
    return [bytes(row["source_path"]) for row in rows]


def set_missing(con: sqlite3.Connection, root: Root, file: KnownFile, reason: str, at: str) -> bool:
    """The file is not where it should be; False if it was moved or changed meanwhile."""
    column = "CAST(path AS BLOB)" if root.kind is RootKind.LIBRARY else "source_path"
    changed = con.execute(
        "UPDATE media_files SET state = 'missing', reason = ?, updated_at = ?"
        f" WHERE id = ? AND state IN ('placed', 'done') AND {column} = ?",
        (reason, at, file.id, file.path),
    ).rowcount
    return changed == 1


def set_returned(con: sqlite3.Connection, file_id: str, at: str) -> bool:
    """A missing file is back where it should be."""
    changed = con.execute(
        "UPDATE media_files SET state = 'done', reason = NULL, updated_at = ?"
        " WHERE id = ? AND state = 'missing'",
        (at, file_id),
    ).rowcount
    return changed == 1


def _stored(row: sqlite3.Row) -> StoredRoot:
    root = Root(
        id=row["id"],
        path=Path(os.fsdecode(row["path"])),
        kind=RootKind(row["kind"]),
        take=Take(row["take"]),
        owner_id=row["owner_id"],
        marker=row["marker"],
    )
    return StoredRoot(root, row["device"], row["state"], row["reason"])
