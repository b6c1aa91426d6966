"""Small values the service remembers between runs: one JSON value per key."""

from __future__ import annotations

import json
import sqlite3

from pipeline.model import Json


def get(con: sqlite3.Connection, key: str) -> Json:
    """The value under `key`; None when there is none."""
    row = con.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return None if row is None else json.loads(row[0])


def put(con: sqlite3.Connection, key: str, value: Json) -> None:
    """Remember `value` under `key`, in place of what was there."""
    con.execute(
        "INSERT INTO settings (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, json.dumps(value)),
    )


def remove(con: sqlite3.Connection, key: str) -> None:
    """Forget `key`."""
    con.execute("DELETE FROM settings WHERE key = ?", (key,))
