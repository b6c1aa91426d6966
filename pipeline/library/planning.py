"""What placing will do, before it does it: units of files and the names they get.

A unit is a bundle, placed as a whole or not at all. The plan is exactly what `placing.commit`
carries out, unless a name is taken in between. Reads the state and looks at the disk; changes
nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Protocol, Self, TypeVar

from pipeline.errors import DarkroomError
from pipeline.library import fsops, names
from pipeline.library.below import Below
from pipeline.library.fsops import Identity
from pipeline.library.names import Naming, Target, Template
from pipeline.model import FileState, Home, Root, Take
from pipeline.state import placements
from pipeline.state.connection import Database
from pipeline.state.placements import File


class HasTarget(Protocol):
    """A file that is to get a name."""

    @property
    def file_id(self) -> str: ...
    @property
    def target(self) -> Target: ...


class Nameable(Protocol):
    """Files that get their names together."""

    @property
    def members(self) -> Sequence[HasTarget]: ...
    @property
    def number(self) -> int: ...
    def paths(self) -> tuple[str, ...]: ...
    def numbered(self, number: int) -> Self: ...


_Numbered = TypeVar("_Numbered", bound=Nameable)
_LIES_THERE = (FileState.PLACING, FileState.PLACED, FileState.DONE, FileState.MISSING)


@dataclass(frozen=True, slots=True)
class Placement:
    """One file and where it is to go."""

    file_id: str
    source: Below
    root: Root
    identity: Identity
    sha256: str
    target: Target
    take: Take


@dataclass(frozen=True, slots=True)
class Unit:
    """The members of a bundle that are placed together, under names with the same number."""

    members: tuple[Placement, ...]
    number: int = 1

    def paths(self) -> tuple[str, ...]:
        """The names, below the library, in the order of the members."""
        return tuple(one.target.path(self.number) for one in self.members)

    def numbered(self, number: int) -> Unit:
        """The same files under names with another number."""
        return replace(self, number=number)


async def plan(
    db: Database, home: Home, template: Template, file_ids: Sequence[str]
) -> tuple[Unit, ...]:
    """The units that these files, and those that belong to them, will be placed as now.

    Files that are not `studied`, or only indexed, have no part in it.
    """
    files = await db.read(placements.with_bundles, file_ids)
    units = units_of(files, template)
    while True:
        named = await db.read(_with_free_names, units)
        units = await asyncio.to_thread(_free_on_disk, home.library, named)
        if units == named:
            return units


def units_of(files: Iterable[File], template: Template) -> tuple[Unit, ...]:
    """Group files into units and name them; pure."""
    ordered = sorted(files, key=lambda f: (f.bundle_id or f.id, f.id))
    bundles = (tuple(group) for _, group in groupby(ordered, key=lambda f: f.bundle_id or f.id))
    units = (_unit(members, template) for members in bundles)
    return tuple(unit for unit in units if unit.members)


def targets_of(members: Sequence[File], template: Template) -> tuple[Target, ...]:
    """The names of a whole bundle; those of members that lie in the library already decide."""
    targets = names.plan([naming(file) for file in members], template)
    for index, file in enumerate(members):
        known = file.path if file.state in _LIES_THERE else file.twin_path
        if known is not None:
            return names.anchored(targets, index, known)
    return targets


def next_free(library: Path, unit: _Numbered) -> _Numbered:
    """The unit under the first number, from its own on, that nothing on disk stands against."""
    while any(fsops.is_taken(Below(library, path)) for path in unit.paths()):
        unit = unit.numbered(unit.number + 1)
    return unit


def _unit(members: Sequence[File], template: Template) -> Unit:
    targets = targets_of(members, template)
    found = [
        Placement(
            file_id=file.id,
            source=Below(file.root.path, file.source),
            root=file.root,
            identity=Identity(file.size, file.mtime_ns, file.inode),
            sha256=file.sha256,
            target=target,
            take=file.take,
        )
        for file, target in zip(members, targets, strict=True)
        if file.state is FileState.STUDIED and file.take is not Take.INDEX and file.sha256
    ]
    return Unit(tuple(found))


def naming(file: File) -> Naming:
    """What the name of a file can be made of."""
    return Naming(
        name=file.source.rpartition("/")[2],
        format=file.format,
        role=file.role,
        taken_at=file.taken_at,
        make=file.make,
        model=file.model,
        camera=file.camera,
        place=file.place,
        owner=file.owner,
    )


def _with_free_names(con: sqlite3.Connection, units: Sequence[Unit]) -> tuple[Unit, ...]:
    numbers = Numbers()
    return tuple(numbers.free(con, unit) for unit in units)


def _free_on_disk(library: Path, units: Sequence[Unit]) -> tuple[Unit, ...]:
    return tuple(_free_or_same(library, unit) for unit in units)


def _free_or_same(library: Path, unit: Unit) -> Unit:
    """A disk that does not answer is met again when the name is given; planning goes on."""
    try:
        return next_free(library, unit)
    except DarkroomError:
        return unit


class Numbers:
    """Gives free numbers to the units of one transaction, none of them twice."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._next: dict[tuple[str, ...], int] = {}

    def free(self, con: sqlite3.Connection, unit: _Numbered) -> _Numbered:
        """The unit under the first number that is free in the state; it is taken from then on."""
        wanted = tuple(names.key(one.target.path()) for one in unit.members)
        number = max(unit.number, self._next.get(wanted, 1))
        while self._is_taken(con, named := unit.numbered(number)):
            number += 1
        self._next[wanted] = number + 1
        self._given.update(names.key(path) for path in named.paths())
        return named

    def _is_taken(self, con: sqlite3.Connection, unit: Nameable) -> bool:
        for one, path in zip(unit.members, unit.paths(), strict=True):
            key = names.key(path)
            if key in self._given or placements.is_name_taken(con, key, but=one.file_id):
                return True
        return False
