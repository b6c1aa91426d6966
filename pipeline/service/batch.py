"""One operation over many files of the library: move, rename, copy, delete, retag, edit.

Every file gets its own answer and a bad one never stops the others; what belongs together goes
together. A rehearsal answers in the same shape and changes nothing. What was changed is one job,
journaled, so that `jobs.undo` reverses it; copies change nothing in Darkroom and are no job: they
stay where they are until a person deletes them.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipeline.clock import new_id, timestamp
from pipeline.errors import DarkroomError, Invalid
from pipeline.library import exporting, moving, renaming, trash
from pipeline.library.exporting import Exported
from pipeline.library.renaming import Kept, Renamed, RenameUnit
from pipeline.library.trash import Asking
from pipeline.model import Actor, FileState, Json, JsonObject
from pipeline.service import albums, editing, files, metadata, outside, process, renditions
from pipeline.service.editing import Say, Shift, Zone
from pipeline.service.requests import (
    NAMES,
    Convert,
    Copy,
    Delete,
    Gather,
    Move,
    Operation,
    Rename,
    Retag,
)
from pipeline.state import files as stored
from pipeline.state import jobs, tags
from pipeline.state.audit import By
from pipeline.state.files import FileRow

if TYPE_CHECKING:
    from pipeline.core import Core

# A path, a file's tags, the fields that are edited, or: not in the library.
Side = str | tuple[str, ...] | JsonObject | None


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one file, or would become.

    `before` and `after` are paths below the library, for a copy the whole path of the copy, for
    tags all tags of the file, for an edit its fields; `after` is None in the trash. `reason` says
    why it was left as it is.
    """

    file: str  # as it was named, else its path below the library
    id: str | None
    ok: bool
    before: Side
    after: Side
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One item for each file named, in that order; behind them what belongs to them and went along.

    `job_id` is what to undo; None where nothing in Darkroom was changed.
    """

    job_id: str | None
    operation: str
    dry_run: bool
    items: tuple[ItemResult, ...]
    bytes: int = 0  # of the files that were named

    @property
    def failed(self) -> tuple[ItemResult, ...]:
        """The items that were left as they are."""
        return tuple(item for item in self.items if not item.ok)


async def run(
    actor: Actor,
    core: Core,
    wanted: Sequence[str],
    operation: Operation,
    *,
    dry_run: bool = False,
    job: str | None = None,
) -> BatchResult:
    """Do `operation` to files named by id or path; with `dry_run` only say what it would do.

    `job` is the one it is part of, where `begin` made it already. Raises `Invalid`, `NotFound` or
    `NotAllowed` before anything is done when the operation itself makes no sense, for instance its
    destination.
    """
    name = NAMES[type(operation)]
    job_id = job
    try:
        operation = await checked(core, operation)
        found = await _resolved(actor, core, wanted)
        rows = {row.id: row for row in found if isinstance(row, FileRow)}
        is_job = bool(rows) and not dry_run and not isinstance(operation, Copy | Convert)
        if job_id is None and is_job:
            job_id = await begin(actor, core, operation)
        results = await _act(actor, core, rows, operation, job_id, dry_run=dry_run)
        items = _items(wanted, found, results)
    except DarkroomError as error:
        await _end(actor, core, job_id, "failed", error=error.message)
        raise
    except asyncio.CancelledError:
        await _end(actor, core, job_id, "cancelled")
        raise
    await _end(actor, core, job_id, "done", items)
    return BatchResult(job_id, name, dry_run, items, sum(row.size for row in rows.values()))


# --- which files, and into which answers -------------------------------------------------------


async def _resolved(actor: Actor, core: Core, wanted: Sequence[str]) -> list[FileRow | ItemResult]:
    """The rows of files that lie in the library, or why there is none."""
    known = await core.db.read(stored.get_many, actor.library_id, wanted)
    return [
        _in_library(name, known[name]) if name in known else await _looked_up(actor, core, name)
        for name in wanted
    ]


async def _looked_up(actor: Actor, core: Core, name: str) -> FileRow | ItemResult:
    try:
        return _in_library(name, await files.one(actor, core, name))
    except DarkroomError as error:
        return ItemResult(name, None, False, None, None, error.message)


def _in_library(name: str, row: FileRow) -> FileRow | ItemResult:
    if row.state is FileState.DONE:
        return row
    reason = f"It is not in the library now: it is {row.state}."
    return ItemResult(name, row.id, False, row.path, row.path, reason)


def _items(
    wanted: Sequence[str],
    found: Sequence[FileRow | ItemResult],
    results: Iterable[ItemResult],
) -> tuple[ItemResult, ...]:
    by_id = {item.id: item for item in results}
    named = [
        _named(name, one if isinstance(one, ItemResult) else by_id.get(one.id) or _as_it_is(one))
        for name, one in zip(wanted, found, strict=True)
    ]
    ids = {item.id for item in named}
    along = (item for item in by_id.values() if item.id not in ids)
    return (*named, *sorted(along, key=lambda item: item.file))


def _named(name: str, item: ItemResult) -> ItemResult:
    return ItemResult(name, item.id, item.ok, item.before, item.after, item.reason)


def _as_it_is(row: FileRow) -> ItemResult:
    if row.path is None:
        reason = "It lies in a folder of yours that Darkroom only reads."
        return ItemResult("", row.id, False, None, None, reason)
    return ItemResult("", row.id, True, row.path, row.path)


# --- the job -----------------------------------------------------------------------------------


async def begin(actor: Actor, core: Core, operation: Operation) -> str:
    """The job of an operation that was `checked`; `run` ends it."""
    now = core.clock.now()
    job_id = new_id(now)
    job_type = f"batch-{NAMES[type(operation)]}"
    params: dict[str, Json] = {name: _json(value) for name, value in asdict(operation).items()}

    def add(con: sqlite3.Connection) -> None:
        jobs.begin(con, By(actor, timestamp(now)), job_id, job_type, params)

    await core.db.write(add)
    return job_id


def _json(value: Json) -> Json:
    return os.fsdecode(value) if isinstance(value, Path) else value


async def _end(
    actor: Actor,
    core: Core,
    job_id: str | None,
    status: str,
    items: Sequence[ItemResult] = (),
    error: str | None = None,
) -> None:
    if job_id is None:
        return
    job, at = job_id, timestamp(core.clock.now())

    def end(con: sqlite3.Connection) -> None:
        jobs.count(con, job, len(items), sum(not item.ok for item in items))
        jobs.end(con, job, status, at, actor=actor.label, error=error)

    await core.db.write(end)


# --- the operations ----------------------------------------------------------------------------


async def checked(core: Core, operation: Operation) -> Operation:
    """The operation with folders as they are meant. Raises what `run` does."""
    match operation:
        case Move(target):
            return Move(folder_below(core.home.library, target))
        case Rename():
            operation.parsed()
        case Retag():
            operation.wanted()
        case Convert(destination=destination):
            operation.wish()
            await outside.require(core, destination)
        case Copy(destination):
            await outside.require(core, destination)
        case Say() | Shift() | Zone():
            return await asyncio.to_thread(editing.checked, operation)  # zones are files
    return operation


def folder_below(library: Path, target: str) -> str:
    """A folder below the library, given so or as a whole path. Raises `Invalid`."""
    below = target.removeprefix(f"{library}/").rstrip("/")
    if not below or any(part in ("", ".", "..") for part in below.split("/")):
        raise Invalid(
            f"{target!r} is no folder in the library.",
            hint='Name it from the library on, such as "Holidays/2023".',
        )
    return below


async def _act(
    actor: Actor,
    core: Core,
    rows: dict[str, FileRow],
    operation: Operation,
    job_id: str | None,
    *,
    dry_run: bool,
) -> list[ItemResult]:
    match operation:
        case Retag():
            return await _retag(actor, core, rows, operation.wanted(), job_id)
        case Copy(destination):
            return await _copy(core, rows, destination, dry_run=dry_run)
        case Convert():
            return await _convert(actor, core, rows, operation, dry_run=dry_run)
        case Say() | Shift() | Zone():
            return await _edit(actor, core, rows, operation, job_id)
        case Gather(album):
            return await _gather(actor, core, rows, album, job_id)
        case Move() | Rename() | Delete():
            reason = operation.reason if isinstance(operation, Delete) else ""
            asking = Asking(actor.library_id, actor.label, job=job_id, reason=reason)
            return await _rename(core, rows, operation, asking, dry_run=dry_run)


async def _rename(
    core: Core,
    rows: dict[str, FileRow],
    operation: Move | Rename | Delete,
    asking: Asking,
    *,
    dry_run: bool,
) -> list[ItemResult]:
    ids = [row.id for row in rows.values() if row.path is not None]
    units = await _units(core, ids, rows, operation, asking)
    before = {one.file_id: one.from_path for unit in units for one in unit.members}
    results: list[Renamed | Kept]
    if dry_run:
        units = await renaming.foresee(core.db, core.home, units)
        results = [
            Renamed(one.file_id, path)
            for unit in units
            for one, path in zip(unit.members, unit.paths(), strict=True)
        ]
    else:
        results = await renaming.carry_out(core.db, core.clock, core.home, units)
    is_delete = isinstance(operation, Delete)
    return [_renamed(one, before[one.file_id], is_delete=is_delete) for one in results]


async def _units(
    core: Core,
    ids: Sequence[str],
    rows: dict[str, FileRow],
    operation: Move | Rename | Delete,
    asking: Asking,
) -> list[RenameUnit]:
    match operation:
        case Rename():
            return await moving.plan(core.db, operation.parsed(), ids, asking)
        case Delete():
            days = core.settings.library.trash_days
            return await trash.plan_put(core.db, core.clock, ids, asking, days=days)
        case Move(target):
            wanted = {id: f"{target}/{_name(rows[id].path)}" for id in ids}
            units, _ = await moving.plan_to(core.db, wanted, asking)
            return units


def _name(path: str | None) -> str:
    return (path or "").rpartition("/")[2]


def _renamed(one: Renamed | Kept, before: str, *, is_delete: bool) -> ItemResult:
    if isinstance(one, Kept):
        return ItemResult(before, one.file_id, False, before, before, one.error.message)
    return ItemResult(before, one.file_id, True, before, None if is_delete else one.path)


async def _copy(
    core: Core, rows: dict[str, FileRow], destination: Path, *, dry_run: bool
) -> list[ItemResult]:
    units = await exporting.bundles(core.db, list(rows))
    results: Sequence[Exported | Kept]
    if dry_run:
        planned = await asyncio.to_thread(exporting.plan, destination, units)
        results = [one for unit in planned for one in exporting.places(destination, unit)]
    else:
        results = await asyncio.to_thread(exporting.export, core.home, destination, units)
    before = {one.file_id: one.path for unit in units for one in unit.members}
    return [_exported(one, before[one.file_id]) for one in results]


async def _convert(
    actor: Actor, core: Core, rows: dict[str, FileRow], wanted: Convert, *, dry_run: bool
) -> list[ItemResult]:
    """Needs a core that was opened to work, unless it only rehearses."""
    if dry_run:
        stems = {id: PurePosixPath(row.path or row.source_path).stem for id, row in rows.items()}
        suffix = renditions.suffix_of(wanted.to)
        return [
            ItemResult("", id, True, row.path, str(wanted.destination / f"{stems[id]}{suffix}"))
            for id, row in rows.items()
        ]
    if not rows:
        return []
    started = await renditions.start(
        actor, core, list(rows.values()), renditions.Order("convert", wanted.wish())
    )
    async for _ in process.follow(actor, core, started.job_id):
        pass
    made = await renditions.made(actor, core, started.job_id)
    ready = [one for one in made if one.outcome == "made"]
    results = await renditions.export(actor, core, ready, wanted.destination)
    items = {
        one.file_id: _converted(rows[one.file_id], result)
        for one, result in zip(ready, results, strict=True)
    }
    why = {one.file_id: one.reason or "" for one in made if one.outcome != "made"}
    why |= await renditions.failures(actor, core, started.job_id)
    why |= dict.fromkeys(started.busy, "Another job is converting it.")
    left = {id: ItemResult("", id, False, rows[id].path, None, why[id]) for id in why}
    return list((items | left).values())


def _converted(row: FileRow, result: Path | DarkroomError) -> ItemResult:
    if isinstance(result, DarkroomError):
        return ItemResult("", row.id, False, row.path, None, result.message)
    return ItemResult("", row.id, True, row.path, os.fsdecode(result))


def _exported(one: Exported | Kept, before: str) -> ItemResult:
    if isinstance(one, Kept):
        return ItemResult(before, one.file_id, False, before, None, one.error.message)
    return ItemResult(before, one.file_id, True, before, os.fsdecode(one.path))


async def _retag(
    actor: Actor, core: Core, rows: dict[str, FileRow], wanted: tags.Wanted, job_id: str | None
) -> list[ItemResult]:
    who, ids = actor.library_id, list(rows)
    changes: list[tags.Change] = []
    for start in range(0, len(ids), metadata.AT_ONCE):
        part = ids[start : start + metadata.AT_ONCE]
        if job_id is None:
            changes += await core.db.read(tags.plan, who, part, wanted)
        else:
            changes += await core.db.write(
                tags.change, who, part, wanted, core.clock, job_id=job_id, actor=actor.label
            )
    return [ItemResult("", one.file_id, True, one.before, one.after) for one in changes]


async def _edit(
    actor: Actor,
    core: Core,
    rows: dict[str, FileRow],
    operation: editing.Change,
    job_id: str | None,
) -> list[ItemResult]:
    decide = await editing.decider(core, operation, dry_run=job_id is None)
    told = await metadata.edit_many(actor, core, list(rows), decide, job_id)
    return [
        ItemResult("", one.file_id, not one.reason, one.before, one.after, one.reason)
        for one in told
    ]


async def _gather(
    actor: Actor, core: Core, rows: dict[str, FileRow], album: str, job_id: str | None
) -> list[ItemResult]:
    ids = list(rows)
    fitting = set(await albums.addable(actor, core, album, ids))
    if job_id is not None:
        await albums.add(actor, core, album, ids, job=job_id)
    why = "It is not yours to show in an album."
    return [
        ItemResult("", id, True, None, album)
        if id in fitting
        else ItemResult("", id, False, None, None, why)
        for id in ids
    ]
