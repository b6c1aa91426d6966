"""Other names for files that are in the library: by a new template, or to a place told.

Plan, then act: the plan is exactly what `move` does, unless a name is taken in between. Bundles
move as one, everything is journaled, nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from pipeline.clock import Clock
from pipeline.errors import Conflict, NotFound
from pipeline.library import component, names, planning
from pipeline.library.names import Template
from pipeline.library.renaming import Kept, Renamed, RenameUnit, Renaming, carry_out
from pipeline.library.trash import Asking
from pipeline.model import FileState, Home
from pipeline.state import placements, renames
from pipeline.state.connection import Database
from pipeline.state.placements import File
from pipeline.state.renames import Member

_Grouped = TypeVar("_Grouped", File, Member)


async def plan(
    db: Database, template: Template, file_ids: Sequence[str], asking: Asking
) -> list[RenameUnit]:
    """The renames that bring these files, and what belongs to them, under `template`.

    A template without folders gives other names in the same folders. Files that lie right already
    are left out. Raises NotFound for an id that is not the owner's.
    """
    await _members(db, file_ids, asking.owner_id)
    files = await db.read(placements.with_bundles, file_ids)
    placed = [file for file in files if file.state is FileState.DONE and file.path is not None]
    units = (_unit(bundle, template, asking) for bundle in _bundles(placed))
    return [unit for unit in units if unit is not None]


async def move(
    db: Database, clock: Clock, home: Home, units: Sequence[RenameUnit]
) -> list[Renamed | Kept]:
    """Carry out a plan; one result per file."""
    return await carry_out(db, clock, home, units)


async def move_to(
    db: Database, clock: Clock, home: Home, wanted: Mapping[str, str], asking: Asking
) -> list[Renamed | Kept]:
    """Give files the paths below the library in `wanted`, by file id; names are made safe.

    Members of a bundle that are not named themselves come along beside it. Raises NotFound.
    """
    units, away = await plan_to(db, wanted, asking)
    return [*away, *await carry_out(db, clock, home, units)]


async def plan_to(
    db: Database, wanted: Mapping[str, str], asking: Asking
) -> tuple[list[RenameUnit], list[Kept]]:
    """What `move_to` would do, and which files are not in the library to be moved."""
    members = await _members(db, list(wanted), asking.owner_id)
    fitting = [one for one in members if one.state is FileState.DONE and one.path is not None]
    away = wanted.keys() - {one.id for one in fitting}
    units = [_unit_to(bundle, wanted, asking) for bundle in _bundles(fitting)]
    error = Conflict("It is not in the library now; it is left as it is.")
    kept = [Kept(file_id, error) for file_id in sorted(away)]
    return [unit for unit in units if unit.members], kept


async def _members(db: Database, file_ids: Sequence[str], owner_id: str) -> list[Member]:
    members = await db.read(renames.with_bundles, file_ids, owner_id)
    absent = set(file_ids) - {member.id for member in members}
    if absent:
        raise NotFound(f"There is no file {min(absent)}.")
    return members


def _unit(bundle: Sequence[File], template: Template, asking: Asking) -> RenameUnit | None:
    targets = names.plan([planning.naming(file) for file in bundle], template)
    if not template.folders:
        targets = tuple(
            replace(target, folder=(file.path or "").rpartition("/")[0])
            for file, target in zip(bundle, targets, strict=True)
        )
    lie_right = all(
        _is_numbered(file.path or "", target) for file, target in zip(bundle, targets, strict=True)
    )
    if lie_right:
        return None
    members = (
        Renaming(file.id, file.path or "", target, asking.details(file.id))
        for file, target in zip(bundle, targets, strict=True)
    )
    return RenameUnit("move", tuple(members))


def _is_numbered(path: str, target: names.Target) -> bool:
    """Does the file lie under this target already, be it with a number?"""
    folder, _, name = path.rpartition("/")
    if folder != target.folder or not name.endswith(target.tail):
        return False
    stem = name.removesuffix(target.tail)
    number = stem.rpartition(" (")[2].removesuffix(")")
    return path == target.path() or (number.isdecimal() and path == target.path(int(number)))


def _unit_to(bundle: Sequence[Member], wanted: Mapping[str, str], asking: Asking) -> RenameUnit:
    own = names.around([one.path or "" for one in bundle])
    told = {
        index: _told(wanted[one.id], own[index].tail)
        for index, one in enumerate(bundle)
        if one.id in wanted
    }
    index, path = next(iter(told.items()))
    beside = names.anchored(own, index, path)
    paths = [told.get(index, target.path()) for index, target in enumerate(beside)]
    members = (
        Renaming(one.id, one.path or "", target, asking.details(one.id))
        for one, target in zip(bundle, names.around(paths), strict=True)
    )
    return RenameUnit("move", tuple(m for m in members if m.from_path != m.target.path()))


def _told(path: str, tail: str) -> str:
    """A place as a person told it, made safe; what a name ends with stays the file's own."""
    parts = [component.safe(part) for part in path.split("/") if part.strip(". ")]
    whole = "/".join(parts) or component.UNNAMED
    is_same = tail and whole.casefold().endswith(tail.casefold())
    return f"{whole[: -len(tail)] if is_same else whole}{tail}"


def _bundles(files: Iterable[_Grouped]) -> Iterator[list[_Grouped]]:
    def bundle(file: _Grouped) -> str:
        return file.bundle_id or file.id

    for _, group in groupby(sorted(files, key=lambda f: (bundle(f), f.id)), key=bundle):
        yield list(group)
