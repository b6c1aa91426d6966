"""Is this database whole? Asked before it is opened, without changing a byte of it."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from pathlib import Path
from urllib.parse import quote

from pipeline.state import migrate
from pipeline.state.failures import translated

_WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
# Another program or the disk is in the way: says nothing about the file.
_NOT_DAMAGE = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_PERM),
        *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM),
    }
)


def beside(database: Path) -> list[Path]:
    """The files that SQLite may keep beside `database` and applies to it."""
    return [Path(f"{database}{suffix}") for suffix in ("-wal", "-shm", "-journal")]


def examine(database: Path, *, alone: bool = False) -> str | None:
    """Why the database at `database` cannot be trusted, in words; None when it can.

    Reads all of it (`PRAGMA quick_check`, about 1 s per GB) through a read-only connection. `alone`
    is for a snapshot, which has no side files and must get none. Raises `TryLater` errors when
    another program or the disk keeps us from looking.
    """
    if database.stat().st_size == 0:
        return "it is empty"
    options = "mode=ro&immutable=1" if alone else "mode=ro"
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(database))}?{options}", uri=True)
        ) as con:
            return _first_fault(con)
    except sqlite3.Error as error:
        if (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _NOT_DAMAGE:
            raise translated(error) from error
        return str(error)
    except UnicodeDecodeError as error:  # what sqlite3 makes of a damaged name in the schema
        return str(error)


def is_unborn(database: Path) -> bool:
    """Is it a database whose first start was cut short: sound, and without a single table?"""
    if database.stat().st_size == 0:
        return True
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(
            sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)
        ) as con,
    ):
        return (
            migrate.version(con) == 0 and not con.execute("SELECT 1 FROM sqlite_master").fetchall()
        )
    return False


def doubt_about_wal(database: Path, *, was_closed: bool) -> str | None:
    """Why changes may be lost that stood only in the log file; None when there is no sign of it.

    SQLite removes the log at a clean end and needs it after any other end.
    """
    wal = Path(f"{database}-wal")
    if not wal.exists():
        return None if was_closed else "its log file is missing"
    with wal.open("rb") as file:
        head = file.read(4)
    return None if not head or head in _WAL_MAGIC else "its log file is damaged"


def integrity_faults(con: sqlite3.Connection, limit: int = 100) -> list[str]:
    """What the full check finds wrong, indexes and references included; empty when all is well.

    For the weekly look: it reads every row and every index entry.
    """
    found = [row[0] for row in con.execute(f"PRAGMA integrity_check({limit:d})")]
    loose = [
        f"a row of {row[0]} refers to a missing row of {row[2]}"
        for row in con.execute("PRAGMA foreign_key_check")
    ]
    return [text for text in found if text != "ok"] + loose[:limit]


def _first_fault(con: sqlite3.Connection) -> str | None:
    found = con.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        return str(found)
    version = migrate.version(con)
    recorded = con.execute("SELECT max(version) FROM migrations").fetchone()[0]
    if version != recorded:
        return f"its version is noted as {version} and as {recorded}"
    tables = {name for (name,) in con.execute("SELECT name FROM sqlite_master")}
    absent = sorted(_expected(min(version, len(migrate.available()))) - tables)
    return f"{absent[0]} is missing" if absent else _schema_fault(con)


def _schema_fault(con: sqlite3.Connection) -> str | None:
    """What is wrong with the definitions, which SQLite checks whole only when it may write."""
    made = con.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'"
        " AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')"
    )
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        try:
            for (sql,) in made:
                empty.execute(sql)
        except sqlite3.Error as error:
            return str(error)
    return None


@functools.cache
def _expected(version: int) -> frozenset[str]:
    """The names of the tables and indexes that a database of `version` has."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as con:
        con.row_factory = sqlite3.Row
        migrate.migrate(con, at="", keep=lambda: None, upto=version)
        return frozenset(row["name"] for row in con.execute("SELECT name FROM sqlite_master"))
