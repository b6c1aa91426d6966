"""The blocking half of placing: copies, names and releases on disk, without the state.

Every function takes a batch, runs in a thread, and answers for each unit by itself: a bundle has
all its copies, or all its names, or none. The order of it all stands in `placing.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipeline.errors import Conflict, DarkroomError, TryLater
from pipeline.library import fsops
from pipeline.library.below import Below, with_ancestors
from pipeline.library.fsops import Verified
from pipeline.library.planning import Placement, Unit, next_free
from pipeline.model import Home, Root

THREADS = 8  # a journalling file system syncs several files in one go
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Copied:
    """A unit whose copies are proven and wait in staging, in the order of its members."""

    unit: Unit
    copies: tuple[Verified, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A unit whose copies have their names in the library; `staged` are the names before."""

    unit: Unit
    staged: tuple[Verified, ...]
    files: tuple[Verified, ...]


@dataclass(frozen=True, slots=True)
class Blocked:
    """A unit that found a name taken; `number` is the first that looks free."""

    copied: Copied
    number: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """A unit of which nothing is left behind, with the reason for each member.

    `is_ours` is False when somebody else is placing it: then its rows are left alone.
    """

    unit: Unit
    errors: tuple[DarkroomError, ...]
    is_ours: bool = True


def stopped(unit: Unit, error: DarkroomError, *, is_ours: bool = True) -> Stopped:
    """All members stopped for one reason."""
    return Stopped(unit, (error,) * len(unit.members), is_ours)


# --- copies ------------------------------------------------------------------------------------


def copy_all(home: Home, units: Sequence[Unit]) -> list[Copied | Stopped]:
    """Copy every member of every unit into staging, proven; many at a time."""
    files = [one for unit in units for one in unit.members]
    copies = iter(_in_parallel(lambda one: _copy(home, one), files))
    return [_gathered(unit, [next(copies) for _ in unit.members]) for unit in units]


def drop(copied: Copied) -> None:
    """Remove copies from staging that will get no name."""
    _drop(copied.copies)


def _copy(home: Home, one: Placement) -> Verified | DarkroomError:
    staged = Below(home.library, f".staging/{one.file_id}.{secrets.token_hex(4)}")
    try:
        return fsops.copy_verified(one.source, staged, identity=one.identity, sha256=one.sha256)
    except DarkroomError as error:
        return error


def _gathered(unit: Unit, copies: Sequence[Verified | DarkroomError]) -> Copied | Stopped:
    good = tuple(copy for copy in copies if isinstance(copy, Verified))
    if len(good) == len(copies):
        return Copied(unit, good)
    _drop(good)
    error = next(copy for copy in copies if isinstance(copy, DarkroomError))
    return Stopped(
        unit,
        tuple(c if isinstance(c, DarkroomError) else _for_the_others(error) for c in copies),
    )


def _for_the_others(error: DarkroomError) -> TryLater:
    """The reason of a member that is whole itself: it waits for the one that is not."""
    after_s = error.after_s if isinstance(error, TryLater) else 60.0
    return TryLater("It waits for a file that it belongs to.", path=error.path, after_s=after_s)


# --- names -------------------------------------------------------------------------------------


def name_all(home: Home, copied: Sequence[Copied]) -> list[Named | Blocked | Stopped]:
    """Give each unit all its names in the library, or none. Not yet lasting: see `make_last`."""
    return [_name(home, one) for one in copied]


def make_last(home: Home, named: Sequence[Named]) -> list[Named | Stopped]:
    """Sync the folders of the names, and their folders; then the names in staging are dropped.

    Where that fails no name can be trusted, and all are taken back.
    """
    folders = {file.copy.folder for one in named for file in one.files}
    try:
        _sync(home.library, folders)
    except DarkroomError as error:
        for one in named:
            _take_back(one.files, one.staged)
            _drop(one.staged)
        return [stopped(one.unit, error) for one in named]
    for one in named:
        _drop(one.staged)
    return list(named)


def _name(home: Home, one: Copied) -> Named | Blocked | Stopped:
    files: list[Verified] = []
    try:
        for copy, path in zip(one.copies, one.unit.paths(), strict=True):
            files.append(fsops.link_new(copy, Below(home.library, path)))
    except Conflict:
        _take_back(files, one.copies)
        return _blocked(home, one)
    except DarkroomError as error:
        _take_back(files, one.copies)
        _drop(one.copies)
        return stopped(one.unit, error)
    return Named(one.unit, one.copies, tuple(files))


def _blocked(home: Home, one: Copied) -> Blocked | Stopped:
    try:
        return Blocked(one, max(next_free(home.library, one.unit).number, one.unit.number + 1))
    except DarkroomError as error:
        _drop(one.copies)
        return stopped(one.unit, error)


def _take_back(files: Sequence[Verified], staged: Sequence[Verified]) -> None:
    """Undo names given moments ago. One that cannot be undone is found again by `recover`."""
    for file, copy in zip(files, staged, strict=False):
        with suppress(DarkroomError):
            fsops.withdraw(file, copy.copy)


def _drop(copies: Iterable[Verified]) -> None:
    """What cannot be removed now is swept at the next start."""
    for copy in copies:
        with suppress(DarkroomError):
            fsops.drop_staged(copy.copy)


# --- sources -----------------------------------------------------------------------------------


def release_all(files: Sequence[tuple[Verified, Root]]) -> list[DarkroomError | None]:
    """Remove the sources and make that last; for each, what kept it."""
    outcome = [_release(verified, root) for verified, root in files]
    folders: dict[Path, set[str]] = {}
    for (verified, root), error in zip(files, outcome, strict=True):
        if error is None:
            folders.setdefault(root.path, set()).add(verified.source.folder)
    for base, below in folders.items():
        with suppress(DarkroomError):  # a name that comes back after a power cut is released again
            fsops.fsync_folders(base, below, ancestors=False)
    return outcome


def _release(verified: Verified, root: Root) -> DarkroomError | None:
    try:
        fsops.release_source(verified, root)
    except DarkroomError as error:
        return error
    return None


def _sync(base: Path, folders: Iterable[str]) -> None:
    def sync(folder: str) -> None:
        fsops.fsync_folders(base, [folder], ancestors=False)

    _in_parallel(sync, sorted(with_ancestors(folders)))


def _in_parallel(work: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    if len(items) == 1:
        return [work(items[0])]
    with ThreadPoolExecutor(THREADS, thread_name_prefix="placing") as pool:
        return list(pool.map(work, items))
