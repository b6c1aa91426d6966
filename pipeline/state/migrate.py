"""Schema versions: `schema/NNNN_name.sql`, applied once each, in order.

Each migration is one transaction together with its `user_version`, so a crash at any statement
leaves the old version or the new one, never something between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from pipeline.errors import Broken


def available() -> tuple[tuple[int, str], ...]:
    """All migrations as (version, SQL), lowest first; versions are 1, 2, 3 ... without a gap."""
    files = (f for f in resources.files("pipeline.state").joinpath("schema").iterdir())
    found = sorted((int(f.name[:4]), f.read_text("utf-8")) for f in files if f.name[:4].isdigit())
    assert [v for v, _ in found] == list(range(1, len(found) + 1)), "a migration is missing"
    return tuple(found)


def version(con: sqlite3.Connection) -> int:
    """The schema version of this database; 0 when it is empty."""
    return int(con.execute("PRAGMA user_version").fetchone()[0])


def migrate(con: sqlite3.Connection, *, keep: Path) -> int:
    """Bring the database to the newest version and return it.

    A database with content is copied to `keep` first; that copy is for a person to go back to.

    Raises `Broken` when the database is newer than this program; it is not touched then.
    """
    known = available()
    current = version(con)
    if current > len(known):
        raise Broken(
            f"The database has version {current}, this Darkroom knows {len(known)}; "
            "it was not touched.",
            hint="Install the newer Darkroom again.",
        )
    if 0 < current < len(known):
        con.execute("VACUUM INTO ?", (str(keep),))
    for number, sql in known[current:]:
        _apply(con, number, sql)
    return len(known)


def _apply(con: sqlite3.Connection, number: int, sql: str) -> None:
    con.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(sql):
            con.execute(statement)
        con.execute(f"PRAGMA user_version = {number}")
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise


def _statements(sql: str) -> Iterator[str]:
    """Split a script as SQLite itself would; `executescript` would commit in between."""
    waiting = ""
    for line in sql.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""
