"""Schema versions: `schema/NNNN_name.sql`, applied once each, in order.

Each migration is one transaction together with its version number, so a crash at any statement
leaves the old version or the new one, never something between. The number stands twice, in
`user_version` and in the table `migrations`, so that a flipped bit in one of them shows.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterator
from importlib import resources

from pipeline.errors import Broken, Busy


@functools.cache
def available() -> tuple[tuple[int, str], ...]:
    """All migrations as (version, SQL), lowest first; versions are 1, 2, 3 ... without a gap."""
    files = resources.files("pipeline.state").joinpath("schema").iterdir()
    found = sorted((int(f.name[:4]), f.read_text("utf-8")) for f in files if f.name[:4].isdigit())
    assert [v for v, _ in found] == list(range(1, len(found) + 1)), "a migration is missing"
    return tuple(found)


def version(con: sqlite3.Connection) -> int:
    """The schema version of this database; 0 when it is empty."""
    return int(con.execute("PRAGMA user_version").fetchone()[0])


def migrate(
    con: sqlite3.Connection, *, at: str, keep: Callable[[], object], upto: int | None = None
) -> int:
    """Bring the database to the newest version, or to `upto`, and return it.

    `keep` is called before a database with content is changed, to save it as it was.

    Raises `Broken` when the database is newer than this program; it is not touched then.
    """
    current = version(con)
    _refuse_newer(current)
    due = available()[current:upto]
    if current > 0 and due:
        keep()
    for number, sql in due:
        _apply(con, number, sql, at)
    return version(con)


def refuse_other(con: sqlite3.Connection) -> None:
    """For those who only look: raise unless the database has just this program's version."""
    current = version(con)
    _refuse_newer(current)
    if current < len(available()):
        raise Busy(
            "The database of this home is still to be set up or upgraded.",
            hint="Start Darkroom once (darkroom serve); after that this works.",
        )


def _refuse_newer(current: int) -> None:
    if current > len(available()):
        raise Broken(
            f"The database has version {current}, this Darkroom knows {len(available())}; "
            "it was not touched.",
            hint="Install the newer Darkroom again.",
        )


def _apply(con: sqlite3.Connection, number: int, sql: str, at: str) -> None:
    # A migration that rebuilds a table drops the old one; its references are checked at the end.
    con.execute("PRAGMA foreign_keys = OFF")
    con.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(sql):
            con.execute(statement)
        _refuse_loose_ends(con, number)
        con.execute("INSERT INTO migrations (version, applied_at) VALUES (?, ?)", (number, at))
        con.execute(f"PRAGMA user_version = {number}")
        con.execute("COMMIT")
    finally:
        if con.in_transaction:
            con.execute("ROLLBACK")
        con.execute("PRAGMA foreign_keys = ON")


def _refuse_loose_ends(con: sqlite3.Connection, number: int) -> None:
    broken = con.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise Broken(
            f"The change of the database to version {number} would leave rows of "
            f"{broken['table']} without what they belong to; nothing was changed.",
            hint="This is a mistake in Darkroom: please report it.",
        )


def _statements(sql: str) -> Iterator[str]:
    """Split a script as SQLite itself would; `executescript` would commit in between."""
    waiting = ""
    for line in sql.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""
    if waiting.strip():  # a last statement without its semicolon must not get lost
        yield waiting
