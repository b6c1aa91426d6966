"""API keys: known by their hash, narrowed by scopes, with an end and a last use."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from pipeline.errors import NotFound

_COLUMNS = "id, user_id, name, hint, scopes, created_at, expires_at, used_at, used_from, revoked_at"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, without its secret; `hint` is how it begins."""

    id: str
    user_id: str
    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str | None = None
    used_at: str | None = None
    used_from: str | None = None
    revoked_at: str | None = None


def add(con: sqlite3.Connection, one: ApiKey, key_hash: bytes) -> None:
    """Remember a new key by its hash."""
    con.execute(
        "INSERT INTO api_keys (id, user_id, name, hint, hash, scopes, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.id,
            one.user_id,
            one.name,
            one.hint,
            key_hash,
            json.dumps(one.scopes),
            one.created_at,
            one.expires_at,
        ),
    )


def listing(con: sqlite3.Connection, user_id: str | None = None) -> list[ApiKey]:
    """The keys that were not revoked, of one user or of all, oldest first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM api_keys"
        " WHERE revoked_at IS NULL AND (? IS NULL OR user_id = ?) ORDER BY id",
        (user_id, user_id),
    )
    return [_key(row) for row in rows]


def require(con: sqlite3.Connection, key_id: str, user_id: str | None = None) -> ApiKey:
    """One key that was not revoked, of one user or of anybody. Raises `NotFound`."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM api_keys"
        " WHERE id = ? AND revoked_at IS NULL AND (? IS NULL OR user_id = ?)",
        (key_id, user_id, user_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such key.")
    return _key(row)


def revoke(con: sqlite3.Connection, key_id: str, at: str) -> None:
    """From now on the key is worth nothing."""
    con.execute(
        "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (at, key_id)
    )


def touch(con: sqlite3.Connection, key_id: str, at: str, address: str) -> None:
    """Store when and from where a key was used."""
    con.execute(
        "UPDATE api_keys SET used_at = ?, used_from = ? WHERE id = ?", (at, address or None, key_id)
    )


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(**{**dict(row), "scopes": tuple(json.loads(row["scopes"]))})
