"""The event log: numbered, written in the same transaction as the change it tells of."""

from __future__ import annotations

import json
import sqlite3

from pipeline.events import Event, Recorded

_COLUMNS = "seq, at, name, version, subject, actor, data"


def append(con: sqlite3.Connection, event: Event, *, actor: str, at: str) -> None:
    """Write `event` into the log, as part of the caller's transaction."""
    con.execute(
        "INSERT INTO events (at, name, version, subject, actor, data) VALUES (?, ?, ?, ?, ?, ?)",
        (at, event.name, event.version, event.subject, actor, json.dumps(event.data())),
    )


def latest_seq(con: sqlite3.Connection) -> int:
    """The number of the newest event; 0 before the first."""
    return int(con.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])


def read_after(con: sqlite3.Connection, seq: int, limit: int | None = 1000) -> tuple[Recorded, ...]:
    """Up to `limit` events after `seq`, in order."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
        (seq, -1 if limit is None else limit),
    )
    return tuple(_recorded(row) for row in rows)


def about(con: sqlite3.Connection, subject: str, limit: int = 100) -> tuple[Recorded, ...]:
    """The newest events about one file, job or root, newest first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM events WHERE subject = ? ORDER BY seq DESC LIMIT ?",
        (subject, limit),
    )
    return tuple(_recorded(row) for row in rows)


def about_after(
    con: sqlite3.Connection, subject: str, seq: int, limit: int
) -> tuple[Recorded, ...]:
    """Up to `limit` events about one subject after `seq`, in order."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM events WHERE subject = ? AND seq > ? ORDER BY seq LIMIT ?",
        (subject, seq, limit),
    )
    return tuple(_recorded(row) for row in rows)


def skip_numbers(con: sqlite3.Connection, count: int) -> None:
    """Leave `count` numbers unused: after a restore none may stand for two different events."""
    taken = con.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    con.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
    con.execute(
        "INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)",
        ((taken[0] if taken else 0) + count,),
    )


def _recorded(row: sqlite3.Row) -> Recorded:
    return Recorded(**{**dict(row), "data": json.loads(row["data"])})
