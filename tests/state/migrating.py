"""Run in a process of its own: migrate a database and die by SIGKILL at the N-th statement.

`python -m tests.state.migrating FOLDER FROM [careless]` forks one child per N over a copy of
`FOLDER/FROM.sqlite` (or nothing), until one lives to the end; the copies are `FOLDER/killed-N/`.
`careless` seeds a fault on purpose: migrations without a transaction.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

from pipeline.state import migrate, snapshots, thread

# A made-up second version: rebuilds a table that others refer to, and fills a new one.
SECOND = """
CREATE TABLE new_settings (key TEXT PRIMARY KEY, value TEXT NOT NULL, kind TEXT NOT NULL) STRICT;
INSERT INTO new_settings SELECT key, value, 'old' FROM settings;
DROP TABLE settings;
ALTER TABLE new_settings RENAME TO settings;
CREATE TABLE later (id TEXT PRIMARY KEY) STRICT;
INSERT INTO later SELECT key FROM settings;
UPDATE users SET email = username || '@example.org';
"""


_FIRST = migrate.available()[:1]


def first_version() -> tuple[tuple[int, str], ...]:
    """What `migrate.available` answered when there was one."""
    return _FIRST


def two_versions() -> tuple[tuple[int, str], ...]:
    """What it would answer if this were the second."""
    return (*_FIRST, (2, SECOND))


def _careless(con: sqlite3.Connection, number: int, sql: str, at: str) -> None:
    con.executescript(sql)
    con.execute("INSERT INTO migrations (version, applied_at) VALUES (?, ?)", (number, at))
    con.execute(f"PRAGMA user_version = {number}")


def _die_at(con: sqlite3.Connection, statement: int) -> None:
    left = [statement]

    def count(_: str) -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    con.set_trace_callback(count)


def _migrate(path: Path, die_at: int) -> None:
    con = thread._connect(path, "rwc", 5.0, ("journal_mode = WAL", "synchronous = FULL"))
    _die_at(con, die_at)
    migrate.migrate(
        con, at="now", keep=lambda: snapshots.take(path, datetime.now(UTC), "before-upgrade")
    )


def main(folder: Path, start: str, careless: bool) -> None:
    """Kill at statement 1, 2, 3 ... until the migration is through."""
    migrate.available = two_versions  # type: ignore[assignment]
    if careless:
        migrate._apply = _careless
    statement = 1
    while _dies(folder, start, statement):
        statement += 1
    print(statement - 1)


def _dies(folder: Path, start: str, statement: int) -> bool:
    path = folder / f"killed-{statement}" / "darkroom.sqlite"
    path.parent.mkdir()
    if (folder / start).exists():
        shutil.copyfile(folder / start, path)
    child = os.fork()
    if child == 0:
        _migrate(path, statement)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], "careless" in sys.argv)
