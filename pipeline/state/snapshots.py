"""Snapshots of the state: taken whole, sealed with their checksum, thinned out, put back.

A snapshot counts only with its seal, a file beside it that holds its SHA-256 and is written last:
one cut short by a crash, or rotten since, is never put in place. Moving and removing files is the
library's: it comes in as a function.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import Broken
from pipeline.state import events
from pipeline.state.aside import reading
from pipeline.state.damage import beside, examine
from pipeline.state.failures import translated

Move = Callable[[Path, Path], None]  # rename within the state folder, replacing what is there
Remove = Callable[[Path], None]

DAYS, WEEKS = 7, 4
FOLDER = "snapshots"  # beside the database
SEAL = ".sha256"
_SUFFIX = ".sqlite"
_TIME = "%Y%m%dT%H%M%SZ"
# More events than were ever written after a snapshot: no number comes to stand for two events.
_NUMBERS_SKIPPED = 1_000_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One sealed snapshot."""

    path: Path
    at: datetime
    label: str  # "nightly", "by-hand", "before-upgrade"
    bytes: int


def take(database: Path, at: datetime, label: str) -> Snapshot:
    """Write a snapshot of the live `database` and check it; blocks, so run it in a thread.

    The label is a word of letters and dashes. Raises `StorageFull` and its kin, and `Broken` when
    what was written cannot be read back.
    """
    folder = database.parent / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = _free_name(folder, f"{at.astimezone(UTC):{_TIME}}-{label}")
    copy_live(database, path)
    _sync(path)
    fault = examine(path, alone=True)
    if fault is not None:
        raise Broken(f"The snapshot could not be read back: {fault}.", path=path)
    _write_seal(path)
    _sync(folder)
    return _snapshot(path)


def copy_live(database: Path, path: Path) -> None:
    """Write a copy of `database`, which may be in use, to the new file `path`; blocks."""
    _create(path).close()
    try:
        with (
            reading(database) as con,
            contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy,
        ):
            con.backup(copy)
            _write_anew(copy)
    except sqlite3.Error as error:
        _create(path).close()  # on a full disk the half of a copy gives its room back
        raise translated(error) from error


def _write_anew(copy: sqlite3.Connection) -> None:
    """Leave no byte of what was deleted in the copy, and nothing beside it.

    Not `VACUUM INTO`: over a read-only connection SQLite 3.40 fails at generated columns.
    """
    copy.execute("PRAGMA journal_mode = DELETE")
    copy.execute("PRAGMA journal_mode = OFF")  # half a copy is thrown away, never mended
    copy.execute("VACUUM")


def listing(database: Path) -> list[Snapshot]:
    """The sealed snapshots beside `database`, newest first."""
    folder = database.parent / FOLDER
    seals = folder.glob(f"*{_SUFFIX}{SEAL}") if folder.is_dir() else ()
    paths = (seal.with_suffix("") for seal in seals)
    known = [_snapshot(path) for path in paths if path.is_file() and _time_of(path) is not None]
    return sorted(known, key=lambda found: (found.at, found.path.name), reverse=True)


def thin_out(database: Path, remove: Remove) -> list[Snapshot]:
    """Keep the newest of each of the last 7 days and 4 weeks that have one; remove the others.

    Answers what was removed. Also removes what a crash left without a seal.
    """
    known = listing(database)
    kept = _kept(known)
    gone = [snapshot for snapshot in known if snapshot not in kept]
    for snapshot in gone:
        remove(_seal_of(snapshot.path))  # first: without it the rest is rubbish at any moment
    sealed = {snapshot.path for snapshot in kept}
    for path in (database.parent / FOLDER).glob(f"*{_SUFFIX}"):
        if path not in sealed:
            remove(path)
    return gone


def restore_newest_good(database: Path, move: Move) -> Snapshot | None:
    """Put the newest snapshot that is whole in the place of `database`; None when there is none.

    Nothing may lie at `database` any more, or beside it (see `set_aside`). The snapshot stays.
    """
    for snapshot in listing(database):
        if is_good(snapshot):
            put_in_place(snapshot, database, move)
            return snapshot
    return None


def is_good(snapshot: Snapshot) -> bool:
    """Does it still have the bytes that were sealed, and are they a sound database?"""
    try:
        sealed = _seal_of(snapshot.path).read_text("ascii").strip()
    except UnicodeDecodeError:
        return False
    return sealed == _sha256(snapshot.path) and examine(snapshot.path, alone=True) is None


def rewrite(
    database: Path, change: Callable[[sqlite3.Connection], object], remove: Remove
) -> list[Path]:
    """Let `change` alter every snapshot; which could not be read and stay as they were.

    A new one, checked and sealed, takes the place of each. Blocks, so run it in a thread. At a
    crash in between some are still as they were: do it again.
    """
    left = []
    for snapshot in listing(database):
        if not is_good(snapshot):
            left.append(snapshot.path)
            continue
        path = _free_name(snapshot.path.parent, snapshot.path.stem)
        copy_live(snapshot.path, path)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as con:
            con.row_factory = sqlite3.Row
            con.execute("PRAGMA foreign_keys = ON")
            con.execute("BEGIN")
            change(con)
            con.execute("COMMIT")
            con.execute("VACUUM")
        _sync(path)
        _write_seal(path)
        _sync(path.parent)
        remove(_seal_of(snapshot.path))
        remove(snapshot.path)
    return left


def set_aside(database: Path, at: datetime, move: Move) -> Path | None:
    """Move `database` and its side files into a folder `damaged-<time>`; None if there was nothing.

    The database goes first: at a crash in between, what is left has no database to be applied to.
    """
    found = [p for p in (database, *beside(database)) if p.exists()]
    if not found:
        return None
    folder = _free_name(database.parent, f"damaged-{at.astimezone(UTC):{_TIME}}", suffix="")
    folder.mkdir(mode=0o700)
    for path in found:
        move(path, folder / path.name)
    _sync(folder)
    _sync(database.parent)
    return folder


def put_in_place(snapshot: Snapshot, database: Path, move: Move) -> None:
    waiting = database.with_name(f"{database.name}.restoring")
    with snapshot.path.open("rb") as source, _create(waiting) as target:
        while chunk := source.read(1 << 20):
            target.write(chunk)
    with contextlib.closing(sqlite3.connect(waiting)) as con, con:
        events.skip_numbers(con, _NUMBERS_SKIPPED)
    _sync(waiting)
    move(waiting, database)
    _sync(database.parent)


def _kept(newest_first: Iterable[Snapshot]) -> list[Snapshot]:
    days: dict[str, Snapshot] = {}
    weeks: dict[str, Snapshot] = {}
    for snapshot in newest_first:
        days.setdefault(f"{snapshot.at:%Y-%m-%d}", snapshot)
        weeks.setdefault(f"{snapshot.at:%G-%V}", snapshot)
    return [*list(days.values())[:DAYS], *list(weeks.values())[:WEEKS]]


def _free_name(folder: Path, stem: str, suffix: str = _SUFFIX) -> Path:
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def _snapshot(path: Path) -> Snapshot:
    at = _time_of(path)
    assert at is not None, "a name we did not make"
    return Snapshot(path, at, path.stem.partition("-")[2], path.stat().st_size)


def _time_of(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.stem.partition("-")[0], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _seal_of(path: Path) -> Path:
    return path.with_name(path.name + SEAL)


def _write_seal(path: Path) -> None:
    with _create(_seal_of(path)) as seal:
        seal.write(f"{_sha256(path)}\n".encode())
    _sync(_seal_of(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _create(path: Path) -> BinaryIO:
    """`path` for writing, emptied, readable for its owner alone."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")
