"""The keys that sign access tokens, sealed. The newest signs; the one before it still proves."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

KEPT = 2


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key; `secret` is sealed."""

    kid: str
    secret: bytes
    created_at: str


def listing(con: sqlite3.Connection) -> list[SigningKey]:
    """All keys, the newest first."""
    rows = con.execute("SELECT kid, secret, created_at FROM signing_keys ORDER BY number DESC")
    return [SigningKey(row["kid"], bytes(row["secret"]), row["created_at"]) for row in rows]


def add(con: sqlite3.Connection, key: SigningKey) -> None:
    """Sign with another key from now on; all but the newest `KEPT` are forgotten."""
    con.execute(
        "INSERT INTO signing_keys (kid, secret, created_at) VALUES (?, ?, ?)",
        (key.kid, key.secret, key.created_at),
    )
    con.execute(
        "DELETE FROM signing_keys WHERE number NOT IN"
        " (SELECT number FROM signing_keys ORDER BY number DESC LIMIT ?)",
        (KEPT,),
    )
