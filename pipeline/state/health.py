"""What `darkroom doctor` and the health page say about the state."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pipeline.state import events, migrate

_WAL_RESET_MENDED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))  # and the later ones of these lines


@dataclass(frozen=True, slots=True)
class Health:
    """The state in numbers."""

    sqlite_version: str
    schema_version: int
    journal_mode: str
    bytes: int
    free_bytes: int  # inside the file, used again before it grows
    latest_event: int
    has_wal_reset_bug: bool  # harmless as long as only one connection writes, which Darkroom keeps


def look(con: sqlite3.Connection) -> Health:
    """Read from any connection of `Database`."""

    def pragma(name: str) -> int | str:
        value: int | str = con.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    page = int(pragma("page_size"))
    return Health(
        sqlite_version=sqlite3.sqlite_version,
        schema_version=migrate.version(con),
        journal_mode=str(pragma("journal_mode")),
        bytes=int(pragma("page_count")) * page,
        free_bytes=int(pragma("freelist_count")) * page,
        latest_event=events.latest_seq(con),
        has_wal_reset_bug=wal_reset_bug(sqlite3.sqlite_version_info),
    )


def wal_reset_bug(version: tuple[int, ...]) -> bool:
    """SQLite 3.7.0 to 3.51.2 may lose pages when two connections write or checkpoint a WAL file.

    Mended in 3.51.3 and in 3.50.7 and 3.44.6 (sqlite.org/wal.html, "the WAL-reset bug").
    """
    if version < (3, 7, 0) or version >= _WAL_RESET_MENDED[0]:
        return False
    return not any(version[:2] == m[:2] and version >= m for m in _WAL_RESET_MENDED[1:])
