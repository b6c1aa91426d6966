"""Durable receivers of events: how far each one has read, so that none is missed over a restart."""

from __future__ import annotations

import sqlite3

from pipeline.state import events


def join(con: sqlite3.Connection, name: str, at: str) -> int:
    """Let `name` read from now on, if it is new; the number after which it reads."""
    con.execute(
        "INSERT INTO receivers (name, seq, updated_at) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO NOTHING",
        (name, events.latest_seq(con), at),
    )
    return position(con, name) or 0


def position(con: sqlite3.Connection, name: str) -> int | None:
    """The number of the event that `name` has dealt with last; None when it never joined."""
    row = con.execute("SELECT seq FROM receivers WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])


def advance(con: sqlite3.Connection, name: str, seq: int, at: str) -> bool:
    """Note that `name` has dealt with all events up to `seq`; never goes back, False then."""
    return (
        con.execute(
            "UPDATE receivers SET seq = ?, updated_at = ? WHERE name = ? AND seq < ?",
            (seq, at, name, seq),
        ).rowcount
        == 1
    )


def leave(con: sqlite3.Connection, name: str) -> None:
    """Forget `name`; joining again begins at the then newest event."""
    con.execute("DELETE FROM receivers WHERE name = ?", (name,))


def lag(con: sqlite3.Connection) -> dict[str, int]:
    """How many events each receiver still has before it."""
    rows = con.execute(
        "SELECT name, (SELECT count(*) FROM events WHERE events.seq > receivers.seq) AS behind"
        " FROM receivers ORDER BY name"
    )
    return {row["name"]: int(row["behind"]) for row in rows}
