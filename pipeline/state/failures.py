"""SQLite's errors as ours: what a caller can act on, said in words for a person.

Busy or locked becomes `Busy`, a full disk `StorageFull`, a disk that fails `StorageOffline`, a
taken unique name `Conflict`, a query over its time `TooLarge`. Damage, broken SQL and any other
broken constraint are `Broken`: nobody outside can mend them.
"""

from __future__ import annotations

import sqlite3

from pipeline.errors import (
    Broken,
    Busy,
    Conflict,
    DarkroomError,
    StorageFull,
    StorageOffline,
    TooLarge,
)

_UNIQUE = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_ROWID,
    }
)
# The -shm file could not grow: what a full disk looks like before the first write fails.
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_DISK = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def translated(error: sqlite3.Error) -> DarkroomError:
    """Our error for SQLite's; raise it `from` the original."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    primary = code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(
            "Another program holds the database; nothing was changed.",
            hint="Close that program; Darkroom tries again by itself.",
        )
    if code in _FULL or primary == sqlite3.SQLITE_FULL:
        return StorageFull(
            "The disk of the state folder is full; nothing was changed.",
            hint="Free some room there; Darkroom goes on by itself.",
        )
    if primary in _DISK:
        return StorageOffline(
            f"The disk of the state folder does not work as it should ({error}); "
            "nothing was changed.",
            hint="Check that the disk is connected and may be written to.",
        )
    return _permanent(error, code)


def _permanent(error: sqlite3.Error, code: int) -> DarkroomError:
    if code in _UNIQUE:
        return Conflict(f"That is there already ({error}); nothing was changed.")
    if code & 0xFF == sqlite3.SQLITE_INTERRUPT:
        return TooLarge(
            "The search took too long and was stopped.",
            hint="Ask for less: a year, a kind, a name.",
        )
    if is_damage(error):
        return Broken(
            f"The database is damaged ({error}). The photos themselves are not touched.",
            hint="Restart Darkroom: it puts the newest good snapshot in place and reads the "
            "library again.",
        )
    return Broken(
        f"The database refused a change ({error}); nothing was changed.",
        hint="This is a mistake in Darkroom: please report it.",
    )


def is_damage(error: sqlite3.Error) -> bool:
    """Does the error tell of a damaged file, rather than of a disk or another program?"""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _DAMAGE
