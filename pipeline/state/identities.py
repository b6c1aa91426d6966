"""Who a login provider says somebody is: issuer and subject there, an account here."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pipeline.errors import Conflict


@dataclass(frozen=True, slots=True)
class Identity:
    """One account elsewhere that opens an account here."""

    issuer: str
    subject: str
    user_id: str
    created_at: str
    used_at: str | None = None


def find(con: sqlite3.Connection, issuer: str, subject: str) -> str | None:
    """The id of the user whom this identity opens."""
    row = con.execute(
        "SELECT user_id FROM identities WHERE issuer = ? AND subject = ?", (issuer, subject)
    ).fetchone()
    return None if row is None else str(row["user_id"])


def link(con: sqlite3.Connection, issuer: str, subject: str, user_id: str, at: str) -> None:
    """Let an identity open an account. Raises `Conflict` when it opens another one."""
    known = find(con, issuer, subject)
    if known not in (None, user_id):
        raise Conflict("This identity belongs to another user here.")
    con.execute(
        "INSERT INTO identities (issuer, subject, user_id, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (issuer, subject, user_id, at),
    )


def note_use(con: sqlite3.Connection, issuer: str, subject: str, at: str) -> None:
    """Store when an identity was last used."""
    con.execute(
        "UPDATE identities SET used_at = ? WHERE issuer = ? AND subject = ?", (at, issuer, subject)
    )


def listing(con: sqlite3.Connection, user_id: str) -> list[Identity]:
    """The identities that open an account."""
    rows = con.execute(
        "SELECT issuer, subject, user_id, created_at, used_at FROM identities"
        " WHERE user_id = ? ORDER BY created_at, subject",
        (user_id,),
    )
    return [Identity(**dict(row)) for row in rows]


def forget(con: sqlite3.Connection, user_id: str, issuer: str) -> int:
    """Take an issuer's identities from an account; how many there were."""
    return con.execute(
        "DELETE FROM identities WHERE user_id = ? AND issuer = ?", (user_id, issuer)
    ).rowcount
