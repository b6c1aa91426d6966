"""What works once and not for long: links, tickets, and what a login provider brings back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

from pipeline.model import JsonObject


@dataclass(frozen=True, slots=True)
class OneTime:
    """What something that works once is for."""

    purpose: str
    expires_at: str
    user_id: str | None = None
    data: JsonObject = field(default_factory=dict)


def add(con: sqlite3.Connection, token_hash: bytes, one: OneTime, at: str) -> None:
    """Remember a new one, and forget all that are too old."""
    con.execute("DELETE FROM one_time WHERE expires_at <= ?", (at,))
    con.execute(
        "INSERT INTO one_time (hash, purpose, user_id, data, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (token_hash, one.purpose, one.user_id, json.dumps(dict(one.data)), at, one.expires_at),
    )


def look(con: sqlite3.Connection, token_hash: bytes, now: str) -> OneTime | None:
    """What it is for, while it works; it is not used up."""
    row = con.execute(
        "SELECT purpose, expires_at, user_id, data FROM one_time WHERE hash = ? AND expires_at > ?",
        (token_hash, now),
    ).fetchone()
    return None if row is None else OneTime(**{**dict(row), "data": json.loads(row["data"])})


def take(con: sqlite3.Connection, token_hash: bytes, purpose: str, now: str) -> OneTime | None:
    """Use it up; None when it is unknown, used, too old, or for another purpose."""
    found = look(con, token_hash, now)
    if found is None or found.purpose != purpose:
        return None
    con.execute("DELETE FROM one_time WHERE hash = ?", (token_hash,))
    return found


def withdraw(con: sqlite3.Connection, user_id: str, purposes: tuple[str, ...]) -> None:
    """Forget what was given to a user for these purposes."""
    con.execute(
        "DELETE FROM one_time WHERE user_id = ? AND purpose IN (SELECT value FROM json_each(?))",
        (user_id, json.dumps(purposes)),
    )


def count(con: sqlite3.Connection, purpose: str) -> int:
    """How many there are for a purpose: what strangers can make has a bound."""
    row = con.execute("SELECT count(*) FROM one_time WHERE purpose = ?", (purpose,)).fetchone()
    return int(row[0])
