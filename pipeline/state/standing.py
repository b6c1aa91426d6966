"""What a credential is worth at this moment: whose it is and what they may, in one look.

Nothing is found for what ended, expired, was idle too long or was revoked, nor for a user who was
disabled: the four look the same.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """Whom a credential stands for; `source_id` is its session or key."""

    user_id: str
    role: str
    source_id: str
    used_at: str | None
    expires_at: str | None
    scopes: frozenset[str] | None = None


def by_cookie(
    con: sqlite3.Connection, token_hash: bytes, *, now: str, idle_since: str
) -> Standing | None:
    """Of a browser's session, by the hash of its cookie."""
    row = con.execute(
        "SELECT s.id AS source_id, s.seen_at AS used_at, s.expires_at, u.id AS user_id, u.role"
        " FROM sessions s JOIN users u ON u.id = s.user_id"
        " WHERE s.token_hash = ? AND s.ended_at IS NULL AND s.expires_at > ? AND s.seen_at > ?"
        " AND u.is_active = 1",
        (token_hash, now, idle_since),
    ).fetchone()
    return None if row is None else Standing(**dict(row))


def by_session(con: sqlite3.Connection, session_id: str, *, now: str) -> Standing | None:
    """Of a program's session, by its id as an access token tells it."""
    row = con.execute(
        "SELECT s.id AS source_id, s.seen_at AS used_at, s.expires_at, u.id AS user_id, u.role"
        " FROM sessions s JOIN users u ON u.id = s.user_id"
        " WHERE s.id = ? AND s.kind = 'tokens' AND s.ended_at IS NULL AND s.expires_at > ?"
        " AND u.is_active = 1",
        (session_id, now),
    ).fetchone()
    return None if row is None else Standing(**dict(row))


def by_key(con: sqlite3.Connection, key_hash: bytes, *, now: str) -> Standing | None:
    """Of an API key, by its hash."""
    row = con.execute(
        "SELECT k.id AS source_id, k.used_at, k.expires_at, k.scopes, u.id AS user_id, u.role"
        " FROM api_keys k JOIN users u ON u.id = k.user_id"
        " WHERE k.hash = ? AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?)"
        " AND u.is_active = 1",
        (key_hash, now),
    ).fetchone()
    if row is None:
        return None
    return Standing(**{**dict(row), "scopes": frozenset(json.loads(row["scopes"]))})
