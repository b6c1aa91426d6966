"""Uploads under way: how much of each has come. What is over has no row any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields

from pipeline.errors import Conflict, NotFound, Refused, StorageFull
from pipeline.state import quotas


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `name` is as the sender called it: evidence, never a path."""

    id: str
    user_id: str
    library_id: str
    name: str
    batch: str
    size: int
    received: int
    sha256: str | None
    mtime_ns: int | None
    created_at: str
    updated_at: str


_COLUMNS = ", ".join(field.name for field in fields(Upload))
_MARKS = ", ".join("?" * len(fields(Upload)))


def add(con: sqlite3.Connection, upload: Upload, *, most: int, room: int) -> None:
    """Remember a new upload.

    In one transaction with the look at what else is to come: raises `StorageFull` where all of it
    would be more bytes than `room`, `Refused` where the user has `most` under way.
    """
    if _count(con, upload.user_id) >= most:
        raise Refused(f"{most:,} uploads are under way.", hint="Finish or end some first.")
    if _outstanding(con) + upload.size > room:
        raise StorageFull("The disk has no room for this file.", hint="Nothing was sent.")
    values = [getattr(upload, field.name) for field in fields(Upload)]
    con.execute(f"INSERT INTO uploads ({_COLUMNS}) VALUES ({_MARKS})", values)


def require(con: sqlite3.Connection, user_id: str, upload_id: str) -> Upload:
    """One upload of this user. Raises `NotFound`."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM uploads WHERE id = ? AND user_id = ?", (upload_id, user_id)
    ).fetchone()
    if row is None:
        raise NotFound(
            "There is no such upload.", hint="What is not gone on with ends after a day."
        )
    return Upload(**dict(row))


def listing(con: sqlite3.Connection, user_id: str, after: str, limit: int) -> list[Upload]:
    """This user's uploads in the order in which they were begun, behind the one with that id."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM uploads WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?",
        (user_id, after, limit),
    )
    return [Upload(**dict(row)) for row in rows]


def advance(con: sqlite3.Connection, upload: Upload, received: int, at: str) -> None:
    """So much has come and lies on the disk. Raises `Conflict` where it is another amount now."""
    changed = con.execute(
        "UPDATE uploads SET received = ?, updated_at = ? WHERE id = ? AND received = ?",
        (received, at, upload.id, upload.received),
    ).rowcount
    if not changed:
        raise Conflict("Somebody else went on with this upload.")


def end(con: sqlite3.Connection, upload_id: str) -> None:
    """The upload is over, one way or the other; the room promised to it is free."""
    con.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
    quotas.release(con, upload_id)


def abandoned(con: sqlite3.Connection, before: str) -> Sequence[Upload]:
    """Uploads that nobody went on with since."""
    rows = con.execute(f"SELECT {_COLUMNS} FROM uploads WHERE updated_at < ?", (before,))
    return [Upload(**dict(row)) for row in rows]


def known(con: sqlite3.Connection) -> set[str]:
    """The ids of all uploads."""
    return {row["id"] for row in con.execute("SELECT id FROM uploads")}


def _count(con: sqlite3.Connection, user_id: str) -> int:
    row = con.execute("SELECT count(*) FROM uploads WHERE user_id = ?", (user_id,)).fetchone()
    return int(row[0])


def _outstanding(con: sqlite3.Connection) -> int:
    return int(con.execute("SELECT coalesce(sum(size - received), 0) FROM uploads").fetchone()[0])
