"""Renames inside the home, for trash, restore and moves: a bundle as one, and crash-safe.

Decided (1 commit) > renamed, never over another file, folders synced > recorded (1 commit). A crash
in between is finished by `resume`. A rename that cannot be done leaves the bundle where it was.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.clock import Clock, timestamp
from pipeline.errors import Conflict, DarkroomError
from pipeline.library import fsops, names
from pipeline.library.below import Below
from pipeline.library.names import Target
from pipeline.library.planning import Numbers
from pipeline.model import Home, JsonObject
from pipeline.state import renames
from pipeline.state.connection import Database
from pipeline.state.renames import Action, Rename

BATCH = 32
_CHANGED = "It is not where it was, or is being worked on; nothing was done."


@dataclass(frozen=True, slots=True)
class Renaming:
    """One file and where it is to go, with what is recorded about it."""

    file_id: str
    from_path: str
    target: Target
    details: JsonObject


@dataclass(frozen=True, slots=True)
class RenameUnit:
    """A bundle whose members are renamed together."""

    action: Action
    members: tuple[Renaming, ...]
    number: int = 1

    def paths(self) -> tuple[str, ...]:
        """The new names, in the order of the members."""
        return tuple(one.target.path(self.number) for one in self.members)

    def numbered(self, number: int) -> RenameUnit:
        """The same files under names with another number."""
        return replace(self, number=number)


@dataclass(frozen=True, slots=True)
class Renamed:
    """The file lies at `path` now, below the library or the trash."""

    file_id: str
    path: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The file stayed where it was."""

    file_id: str
    error: DarkroomError


async def carry_out(
    db: Database, clock: Clock, home: Home, units: Sequence[RenameUnit]
) -> list[Renamed | Kept]:
    """Rename bundles, 32 at a time; a name that is taken gets a number."""
    results: list[Renamed | Kept] = []
    for start in range(0, len(units), BATCH):
        batch = units[start : start + BATCH]
        free = await asyncio.to_thread(_free_on_disk, home, batch)
        decided = await db.write(_decide_all, free, timestamp(clock.now()))
        going = [unit for unit in decided if unit is not None]
        errors = await asyncio.to_thread(_rename_all, home, going)
        results += await _record_all(db, clock, home, going, errors)
        lost = [unit for unit, got in zip(batch, decided, strict=True) if got is None]
        results += [
            Kept(one.file_id, Conflict(_CHANGED, path=Path(one.from_path)))
            for unit in lost
            for one in unit.members
        ]
    return results


async def foresee(db: Database, home: Home, units: Sequence[RenameUnit]) -> list[RenameUnit]:
    """The units under the numbers that `carry_out` would give them now; nothing is changed."""
    free = await asyncio.to_thread(_free_on_disk, home, units)
    return await db.read(_numbered_all, free)


async def resume(db: Database, clock: Clock, home: Home) -> int:
    """Finish renames that a crash interrupted, or take back what cannot be finished; how many."""
    pending = await db.read(renames.pending)
    for one in pending:
        error = await asyncio.to_thread(_finish, home, one)
        await _record(db, clock, home, [one], error)
    return len(pending)


def _finish(home: Home, one: Rename) -> DarkroomError | None:
    """Rename unless that has happened already."""
    source, target = _places(home, one)
    try:
        if fsops.look(source) is None and fsops.look(target) is not None:
            return None
        _rename(home, one)
        _sync(home, [one])
    except DarkroomError as error:
        return error
    return None


def _numbered_all(con: sqlite3.Connection, units: Sequence[RenameUnit]) -> list[RenameUnit]:
    numbers = Numbers()
    return [numbers.free(con, unit) for unit in units]


def _decide_all(
    con: sqlite3.Connection, units: Sequence[RenameUnit], at: str
) -> list[RenameUnit | None]:
    numbers = Numbers()
    found: list[RenameUnit | None] = []
    for unit in units:
        named = numbers.free(con, unit)
        found.append(named if renames.decide(con, list(_steps(named)), at) else None)
    return found


async def _record_all(
    db: Database,
    clock: Clock,
    home: Home,
    units: Sequence[RenameUnit],
    errors: Sequence[DarkroomError | None],
) -> list[Renamed | Kept]:
    results: list[Renamed | Kept] = []
    outcome = await asyncio.gather(
        *(
            _record(db, clock, home, list(_steps(unit)), error)
            for unit, error in zip(units, errors, strict=True)
        )
    )
    for unit, failure in zip(units, outcome, strict=True):
        for one, path in zip(unit.members, unit.paths(), strict=True):
            done = Renamed(one.file_id, path)
            results.append(Kept(one.file_id, failure) if failure else done)
    return results


async def _record(
    db: Database, clock: Clock, home: Home, steps: Sequence[Rename], error: DarkroomError | None
) -> DarkroomError | None:
    """Record what happened; where the state cannot agree, take it back on disk too."""
    if error is None:
        try:
            await db.write(renames.record, steps, clock)
        except sqlite3.IntegrityError:
            error = Conflict("The same content was taken in anew meanwhile; nothing was changed.")
            await asyncio.to_thread(_take_back, home, steps)
        else:
            return None
    undecided = await asyncio.to_thread(_not_moved, home, steps)
    await db.write(renames.cancel, undecided)
    return error


# --- in threads --------------------------------------------------------------------------------


def _free_on_disk(home: Home, units: Sequence[RenameUnit]) -> list[RenameUnit]:
    """Each under a free number; many that want one name do not each try all its numbers anew."""
    reached: dict[tuple[str, ...], int] = {}
    found = []
    for unit in units:
        wanted = unit.paths()
        free = _free(home, unit.numbered(max(unit.number, reached.get(wanted, 1))))
        reached[wanted] = free.number
        found.append(free)
    return found


def _free(home: Home, unit: RenameUnit) -> RenameUnit:
    """The first number nothing on disk stands against; where the disk is away, the first at all."""
    base = home.trash if unit.action == "trash" else home.library
    own = {one.from_path for one in unit.members} if unit.action == "move" else set()
    with suppress(DarkroomError):
        while any(path not in own and fsops.is_taken(Below(base, path)) for path in unit.paths()):
            unit = unit.numbered(unit.number + 1)
    return unit


def _rename_all(home: Home, units: Sequence[RenameUnit]) -> list[DarkroomError | None]:
    errors = [_rename_unit(home, list(_steps(unit))) for unit in units]
    done = [
        step
        for unit, error in zip(units, errors, strict=True)
        if error is None
        for step in _steps(unit)
    ]
    try:
        _sync(home, done)
    except DarkroomError as error:
        for unit, failure in zip(units, errors, strict=True):
            if failure is None:
                _take_back(home, list(_steps(unit)))
        return [failure or error for failure in errors]
    return errors


def _rename_unit(home: Home, steps: Sequence[Rename]) -> DarkroomError | None:
    done: list[Rename] = []
    for step in steps:
        try:
            _rename(home, step)
        except DarkroomError as error:
            _take_back(home, done)
            return error
        done.append(step)
    return None


def _rename(home: Home, step: Rename) -> None:
    match step.action:
        case "move":
            fsops.move_within(home, step.from_path, step.to_path)
        case "trash":
            fsops.trash_file(home, step.from_path, step.to_path)
        case "restore":
            fsops.restore_file(home, step.from_path, step.to_path)


def _take_back(home: Home, done: Sequence[Rename]) -> None:
    """What cannot be taken back now stays pending, and is finished at the next start."""
    for step in reversed(done):
        with suppress(DarkroomError):
            match step.action:
                case "move":
                    fsops.move_within(home, step.to_path, step.from_path)
                case "trash":
                    fsops.restore_file(home, step.to_path, step.from_path)
                case "restore":
                    fsops.trash_file(home, step.to_path, step.from_path)


def _not_moved(home: Home, steps: Sequence[Rename]) -> list[str]:
    """Files that do not lie under their new name alone: of those nothing needs finishing."""
    file_ids: list[str] = []
    for step in steps:
        source, target = _places(home, step)
        with suppress(DarkroomError):
            if fsops.look(source) is not None or fsops.look(target) is None:
                file_ids.append(step.file_id)
    return file_ids


def _sync(home: Home, steps: Sequence[Rename]) -> None:
    """Make the renames last: new names first, then that the old ones are gone."""
    for base, folders in _folders(home, steps):
        fsops.fsync_folders(base, folders)
    for step in steps:
        if step.action != "trash":
            source, _ = _places(home, step)
            fsops.drop_empty_folders(source.base, source.folder)


def _folders(home: Home, steps: Sequence[Rename]) -> Iterator[tuple[Path, set[str]]]:
    places = [_places(home, step) for step in steps]
    for side in (1, 0):
        for base in (home.library, home.trash):
            folders = {pair[side].folder for pair in places if pair[side].base == base}
            if folders:
                yield base, folders


def _places(home: Home, step: Rename) -> tuple[Below, Below]:
    source = home.trash if step.action == "restore" else home.library
    target = home.trash if step.action == "trash" else home.library
    return Below(source, step.from_path), Below(target, step.to_path)


def _steps(unit: RenameUnit) -> Iterator[Rename]:
    for one, path in zip(unit.members, unit.paths(), strict=True):
        key = None if unit.action == "trash" else names.key(path)
        yield Rename(one.file_id, unit.action, one.from_path, path, key, one.details)
