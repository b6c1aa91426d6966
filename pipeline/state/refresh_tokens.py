"""Refresh tokens: each works once, and what is shown a second time betrays its whole family."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Spent:
    """What became of a token that was shown.

    "renewed": it is used up, a new one may be given; "reused": it was used up before, so somebody
    has a copy; "refused": unknown, too old, or its session or user is no longer welcome.
    """

    outcome: Literal["renewed", "reused", "refused"]
    session_id: str = ""
    user_id: str = ""


def add(con: sqlite3.Connection, token_hash: bytes, session_id: str, expires_at: str) -> None:
    """Remember a new token of a session."""
    con.execute(
        "INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES (?, ?, ?)",
        (token_hash, session_id, expires_at),
    )


def spend(con: sqlite3.Connection, token_hash: bytes, now: str) -> Spent:
    """Use a token up, and say what it was worth."""
    row = con.execute(
        "SELECT r.session_id, r.expires_at, r.used_at, s.user_id, s.ended_at,"
        " s.expires_at AS session_end, u.is_active"
        " FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id"
        " JOIN users u ON u.id = s.user_id WHERE r.hash = ?",
        (token_hash,),
    ).fetchone()
    if row is None or row["ended_at"] is not None or not row["is_active"]:
        return Spent("refused")
    if row["used_at"] is not None:
        return Spent("reused", row["session_id"], row["user_id"])
    if min(row["expires_at"], row["session_end"]) <= now:
        return Spent("refused")
    con.execute("UPDATE refresh_tokens SET used_at = ? WHERE hash = ?", (now, token_hash))
    return Spent("renewed", row["session_id"], row["user_id"])


def session_of(con: sqlite3.Connection, token_hash: bytes) -> tuple[str, str] | None:
    """The session and the user that a token belongs to."""
    row = con.execute(
        "SELECT s.id, s.user_id FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id"
        " WHERE r.hash = ?",
        (token_hash,),
    ).fetchone()
    return None if row is None else (row["id"], row["user_id"])
