"""The trash as rows: what a person put there, until when it can come back, what may be purged."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.events import FilePurged
from pipeline.state import audit

_OPEN = "t.restored_at IS NULL AND t.purged_at IS NULL"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the trash. Paths are below the trash and the library."""

    id: str
    file_id: str
    bundle_id: str | None
    trash_path: str
    origin_path: str
    reason: str
    actor: str
    by_person: bool
    at: str
    purge_after: str
    size: int
    sha256: str


_SELECT = (
    "SELECT t.id, t.file_id, f.bundle_id, t.trash_path, t.origin_path, t.reason, t.actor,"
    " t.by_person, t.at, t.purge_after, f.size, f.sha256"
    f" FROM trash t JOIN media_files f ON f.id = t.file_id WHERE {_OPEN} AND f.owner_id = ?1"
)


def listing(con: sqlite3.Connection, owner_id: str) -> list[Entry]:
    """The owner's trash, newest first."""
    return [_entry(row) for row in con.execute(f"{_SELECT} ORDER BY t.at DESC, t.id", (owner_id,))]


def page(
    con: sqlite3.Connection, owner_id: str, after: tuple[str, str] | None, limit: int
) -> list[Entry]:
    """Up to `limit` of the owner's trash, newest first, behind the entry with this time and id."""
    at, entry_id = after or ("~", "")
    rows = con.execute(
        f"{_SELECT} AND (t.at < ?2 OR (t.at = ?2 AND t.id > ?3)) ORDER BY t.at DESC, t.id LIMIT ?4",
        (owner_id, at, entry_id, limit),
    )
    return [_entry(row) for row in rows]


def purgeable(
    con: sqlite3.Connection, owner_id: str, *, due: str | None, ids: Sequence[str] | None = None
) -> list[Entry]:
    """What may be purged: put there by a person, and over its time at `due` (None: any time).

    With `ids` only those of these rows.
    """
    rows = con.execute(
        f"{_SELECT} AND t.by_person = 1 AND (?2 IS NULL OR t.purge_after <= ?2)"
        " ORDER BY t.at, t.id",
        (owner_id, due),
    )
    entries = [_entry(row) for row in rows]
    return entries if ids is None else [entry for entry in entries if entry.id in set(ids)]


def purged(con: sqlite3.Connection, entries: Sequence[Entry], at: str, *, actor: str) -> None:
    """These files are deleted for good."""
    for entry in entries:
        changed = con.execute(
            "UPDATE trash SET purged_at = ? WHERE id = ? AND restored_at IS NULL"
            " AND purged_at IS NULL",
            (at, entry.id),
        ).rowcount
        if not changed:
            continue
        con.execute(
            "UPDATE media_files SET state = 'purged', updated_at = ?"
            " WHERE id = ? AND state = 'trashed'",
            (at, entry.file_id),
        )
        was = {"path": entry.origin_path, "bytes": entry.size, "sha256": entry.sha256}
        audit.tell_as(con, actor, FilePurged(entry.file_id), at, before=was)


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(**{**dict(row), "by_person": bool(row["by_person"])})
