"""Who is signed in, from where, since when: browsers by a cookie, programs by tokens."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import NotFound

Kind = Literal["browser", "tokens"]
_COLUMNS = (
    "id, user_id, kind, method, second_factor, device, address, created_at, seen_at, expires_at"
)


@dataclass(frozen=True, slots=True)
class Session:
    """One place where somebody is signed in."""

    id: str
    user_id: str
    kind: Kind
    method: str  # "password", "link" or "provider"
    second_factor: bool
    device: str
    address: str
    created_at: str
    seen_at: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that is over."""

    id: str
    user_id: str


def start(con: sqlite3.Connection, one: Session, token_hash: bytes | None) -> None:
    """Remember a new session; a browser's by the hash of its cookie."""
    con.execute(
        f"INSERT INTO sessions ({_COLUMNS}, token_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.id,
            one.user_id,
            one.kind,
            one.method,
            one.second_factor,
            one.device,
            one.address,
            one.created_at,
            one.seen_at,
            one.expires_at,
            token_hash,
        ),
    )


def open_ones(con: sqlite3.Connection, user_id: str, *, now: str, idle_since: str) -> list[Session]:
    """Where somebody is signed in at `now`, the last seen first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM sessions WHERE user_id = ? AND ended_at IS NULL"
        " AND expires_at > ? AND (kind = 'tokens' OR seen_at > ?) ORDER BY seen_at DESC, id",
        (user_id, now, idle_since),
    )
    return [Session(**{**dict(row), "second_factor": bool(row["second_factor"])}) for row in rows]


def touch(con: sqlite3.Connection, session_id: str, at: str) -> None:
    """Store that a session was used."""
    con.execute("UPDATE sessions SET seen_at = ? WHERE id = ?", (at, session_id))


def end_if_open(
    con: sqlite3.Connection, session_id: str, user_id: str, why: str, at: str
) -> list[Ended]:
    """End a session of this user; nothing when there is none, or it is over."""
    changed = con.execute(
        "UPDATE sessions SET ended_at = ?, ended_why = ?"
        " WHERE id = ? AND user_id = ? AND ended_at IS NULL",
        (at, why, session_id, user_id),
    ).rowcount
    return [Ended(session_id, user_id)] if changed else []


def end(con: sqlite3.Connection, session_id: str, user_id: str, why: str, at: str) -> Ended:
    """As `end_if_open`. Raises `NotFound` when there is nothing to end."""
    ended = end_if_open(con, session_id, user_id, why, at)
    if not ended:
        raise NotFound("There is no such session.")
    return ended[0]


def end_all(
    con: sqlite3.Connection, user_id: str, why: str, at: str, *, keep: str | None = None
) -> list[Ended]:
    """End all sessions of a user but `keep`."""
    rows = con.execute(
        "UPDATE sessions SET ended_at = ?, ended_why = ?"
        " WHERE user_id = ? AND ended_at IS NULL AND id IS NOT ? RETURNING id",
        (at, why, user_id, keep),
    ).fetchall()
    return [Ended(row["id"], user_id) for row in rows]


def end_everybody(con: sqlite3.Connection, why: str, at: str) -> None:
    """End every session, and forget every link and ticket.

    An older state has been put back: what was ended since, or used, would work once more.
    """
    con.execute("UPDATE sessions SET ended_at = ?, ended_why = ? WHERE ended_at IS NULL", (at, why))
    con.execute("DELETE FROM one_time")


def was_here(con: sqlite3.Connection, user_id: str, address: str) -> bool:
    """Whether this user has signed in from this address, as far as sessions are remembered."""
    row = con.execute(
        "SELECT 1 FROM sessions WHERE user_id = ? AND address = ? LIMIT 1", (user_id, address)
    ).fetchone()
    return row is not None


def forget(con: sqlite3.Connection, before: str) -> None:
    """Drop what expired before that time, with its tokens."""
    con.execute("DELETE FROM sessions WHERE expires_at < ?", (before,))
