"""Copies of library files for use elsewhere: a stick, a mail, another program.

Each copy is read back and compared before it gets its name; nothing is ever overwritten; a bundle
goes as one, or not at all. The copies belong to the person: Darkroom forgets them at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from pipeline.errors import Conflict, DarkroomError, NotFound, StorageOffline
from pipeline.library import fsops, names
from pipeline.library.below import Below
from pipeline.library.fsops import Verified
from pipeline.library.names import Target
from pipeline.library.renaming import Kept
from pipeline.model import FileState, Home
from pipeline.state import placements
from pipeline.state.connection import Database
from pipeline.state.placements import File

_ROUNDS = 100  # names tried against somebody who takes each just before us


@dataclass(frozen=True, slots=True)
class Export:
    """One library file and the name its copy gets in the destination."""

    file_id: str
    path: str  # below the library
    sha256: str
    target: Target


@dataclass(frozen=True, slots=True)
class ExportUnit:
    """A bundle whose copies are made together, or need not be: they lie there already."""

    members: tuple[Export, ...]
    number: int = 1
    lies_there: bool = False

    def names(self) -> tuple[str, ...]:
        """The names of the copies, in the order of the members."""
        return tuple(one.target.path(self.number) for one in self.members)


@dataclass(frozen=True, slots=True)
class Exported:
    """A verified copy of the file lies at `path`."""

    file_id: str
    path: Path


async def bundles(db: Database, file_ids: Sequence[str]) -> list[ExportUnit]:
    """The files, with all that belongs to them and lies in the library, not yet named apart."""
    files = await db.read(placements.with_bundles, file_ids)
    placed = [one for one in files if one.state is FileState.DONE and one.path and one.sha256]
    ordered = sorted(placed, key=lambda one: (one.bundle_id or one.id, one.id))
    groups = groupby(ordered, key=lambda one: one.bundle_id or one.id)
    return [_unit(list(group)) for _, group in groups]


def plan(destination: Path, units: Sequence[ExportUnit]) -> list[ExportUnit]:
    """The names the copies get in `destination`, as it is now. Blocks; changes nothing."""
    _require(destination)
    given: set[str] = set()
    return [_named(destination, unit, given) for unit in units]


def export(home: Home, destination: Path, units: Sequence[ExportUnit]) -> list[Exported | Kept]:
    """Copy every unit; one result per file. Blocks. Raises NotFound without the destination."""
    _require(destination)
    given: set[str] = set()
    results: list[Exported | Kept] = []
    for unit in units:
        try:
            results += places(destination, _export(home, destination, unit, given))
        except DarkroomError as error:
            results += [Kept(one.file_id, error) for one in unit.members]
    return results


def places(destination: Path, unit: ExportUnit) -> Iterator[Exported]:
    """Where the copies of a bundle lie, or would lie."""
    for one, name in zip(unit.members, unit.names(), strict=True):
        yield Exported(one.file_id, destination / name)


def _require(destination: Path) -> None:
    """A folder that is not there may be a stick that is not: it is never made."""
    if not destination.is_dir():
        raise NotFound(
            "There is no such folder to copy to.",
            path=destination,
            hint="Connect the disk, or make the folder first.",
        )


def _unit(bundle: Sequence[File]) -> ExportUnit:
    own = [(one.path or "").rpartition("/")[2] for one in bundle]
    members = (
        Export(one.id, one.path or "", one.sha256 or "", target)
        for one, target in zip(bundle, names.around(own), strict=True)
    )
    return ExportUnit(tuple(members))


def _named(destination: Path, unit: ExportUnit, given: set[str]) -> ExportUnit:
    """The first number under which the bundle fits, or lies there with the same bytes already."""
    while True:
        keys = {names.key(name) for name in unit.names()}
        if not keys & given:
            taken = [fsops.is_taken(Below(destination, name)) for name in unit.names()]
            lies_there = all(taken) and _holds(destination, unit)
            if lies_there or not any(taken):
                given |= keys
                return replace(unit, lies_there=lies_there)
        unit = replace(unit, number=unit.number + 1)


def _holds(destination: Path, unit: ExportUnit) -> bool:
    for one, name in zip(unit.members, unit.names(), strict=True):
        place = Below(destination, name)
        if fsops.look(place) is None or fsops.hash_file(place)[0] != one.sha256:
            return False
    return True


def _export(home: Home, destination: Path, unit: ExportUnit, given: set[str]) -> ExportUnit:
    unit = _named(destination, unit, given)
    if unit.lies_there:
        return unit
    copies: list[Verified] = []
    try:
        for one in unit.members:
            copies.append(_copy(home, destination, one))  # noqa: PERF401 - the made ones are dropped
        named = _name(destination, unit, copies, given)
        fsops.fsync_folders(destination, [""])
    finally:
        for copy in copies:
            with suppress(DarkroomError):
                fsops.drop_staged(copy.copy)
    return named


def _copy(home: Home, destination: Path, one: Export) -> Verified:
    source = Below(home.library, one.path)
    identity = fsops.look(source)
    if identity is None:
        raise StorageOffline("It is not where it should be in the library.", path=source.path)
    staged = Below(destination, f".darkroom-{one.file_id}.{secrets.token_hex(4)}")
    return fsops.copy_verified(source, staged, identity=identity, sha256=one.sha256)


def _name(
    destination: Path, unit: ExportUnit, copies: Sequence[Verified], given: set[str]
) -> ExportUnit:
    """Give the copies their names, all or none; a name taken meanwhile makes it the next number."""
    for _ in range(_ROUNDS):
        done: list[Verified] = []
        try:
            for copy, name in zip(copies, unit.names(), strict=True):
                done.append(fsops.link_new(copy, Below(destination, name)))
        except DarkroomError as error:
            for placed, copy in zip(done, copies, strict=False):
                fsops.withdraw(placed, copy.copy)
            if not isinstance(error, Conflict):
                raise
        else:
            return unit
        unit = _named(destination, replace(unit, number=unit.number + 1), given)
        if unit.lies_there:
            return unit
    raise Conflict("Somebody keeps taking the name it is to get.", path=destination)
