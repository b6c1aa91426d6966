"""Small values the service remembers between runs: one JSON value per key."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from pipeline.model import Json
from pipeline.state.aside import reading


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


def below(con: sqlite3.Connection, prefix: str) -> dict[str, Json]:
    """All values whose key begins with `prefix`, by the rest of their keys."""
    rows = con.execute(
        "SELECT key, value FROM settings WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
        (prefix,),
    )
    return {row[0].removeprefix(prefix): json.loads(row[1]) for row in rows}


def peek(path: Path, prefix: str) -> dict[str, Json]:
    """As `below`, of a database that nobody opened yet; nothing where there is none to be read."""
    if not path.is_file():
        return {}
    try:
        with reading(path) as con:
            return below(con, prefix)
    except sqlite3.Error:  # new, damaged or newer: who opens it finds out, and says so
        return {}
