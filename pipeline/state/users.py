"""Who owns what. Until accounts exist there is one person: the household's owner."""

from __future__ import annotations

import sqlite3

HOUSEHOLD = "household"


def ensure_household(con: sqlite3.Connection, user_id: str, at: str) -> str:
    """The id of the household's owner, made as `user_id` at the first start."""
    con.execute(
        "INSERT INTO users (id, username, role, created_at) VALUES (?, ?, 'owner', ?)"
        " ON CONFLICT (username) DO NOTHING",
        (user_id, HOUSEHOLD, at),
    )
    return find(con, HOUSEHOLD) or user_id


def find(con: sqlite3.Connection, username: str) -> str | None:
    """The id of an active user by name."""
    row = con.execute(
        "SELECT id FROM users WHERE username = ? AND is_active = 1", (username,)
    ).fetchone()
    return None if row is None else str(row["id"])
