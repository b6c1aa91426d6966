"""Making things of files: start a job, what it made, where to put it, and what all of it saved."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipeline.clock import new_id, timestamp
from pipeline.errors import DarkroomError, Invalid, NotFound, Refused
from pipeline.intake.formats import FORMATS
from pipeline.library import fsops, names
from pipeline.library.below import Below
from pipeline.model import Actor, FileState, JsonObject
from pipeline.registry import discover
from pipeline.service import files, outside
from pipeline.service.media import Media
from pipeline.state import asked, jobs, renditions
from pipeline.state.audit import By
from pipeline.state.files import FileRow
from pipeline.state.renditions import Rendition, Savings
from pipeline.work import rendering

if TYPE_CHECKING:
    from pipeline.core import Core


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made: a stage, its own parameters, and whether the copy is to replace."""

    stage: str
    wish: JsonObject
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A running job, and the files it leaves alone because another job has them already."""

    job_id: str
    busy: tuple[str, ...]


async def start(actor: Actor, core: Core, wanted: Sequence[FileRow], order: Order) -> Started:
    """Queue the order for these files of the library as one job.

    Raises `Invalid` for a stage nobody can ask for, or when no file is left to work on.
    """
    _require_stage(order)
    fitting = [row for row in wanted if row.state in (FileState.PLACED, FileState.DONE)]
    if not fitting:
        raise Invalid("There is no file to work on.", hint="darkroom find shows what there is.")
    now = core.clock.now()
    job_id = new_id(now)
    params = rendering.params(order.wish, replaces=order.replaces)

    def begin(con: sqlite3.Connection) -> list[str]:
        jobs.begin(con, By(actor, timestamp(now)), job_id, order.stage, params)
        pairs = [(row.id, row.owner_id) for row in fitting]
        return asked.enqueue_job(con, job_id, order.stage, pairs, now)

    busy = await core.db.write(begin)
    core.working_flow.poke()
    return Started(job_id, tuple(busy))


async def made(actor: Actor, core: Core, job_id: str) -> list[Rendition]:
    """What the job made, skipped and replaced. Raises `NotFound`."""
    await core.db.read(jobs.require, job_id, actor.library_id)
    return await core.db.read(renditions.of_job, job_id, actor.library_id)


async def of_file(actor: Actor, core: Core, file_id: str) -> list[Rendition]:
    """What was made of one of the actor's files, the newest first."""
    return await core.db.read(renditions.of_file, actor.library_id, file_id)


async def media(actor: Actor, core: Core, file_id: str, rendition_id: str) -> Media:
    """The bytes of what was made. Raises `NotFound` where there are none, or no more."""
    made_of = await of_file(actor, core, file_id)
    one = next((one for one in made_of if one.id == rendition_id), None)
    if one is None or one.path is None or one.made_sha256 is None:
        raise NotFound("There is no such copy of this file.")
    row = await files.one(actor, core, file_id)
    place = Below(core.home.cache, one.path)
    found_there = await asyncio.to_thread(fsops.look, place)
    if found_there is None:
        raise NotFound("The copy is no longer in the cache.", hint="Ask for it again.")
    mime = one.mime or "application/octet-stream"
    return Media(place, mime, found_there.size, one.made_sha256, _name_of(one, row))


async def failures(actor: Actor, core: Core, job_id: str) -> dict[str, str]:
    """Why the job got nowhere with a file, by file id. Raises `NotFound`."""
    await core.db.read(jobs.require, job_id, actor.library_id)
    return await core.db.read(asked.failures, job_id)


async def savings(actor: Actor, core: Core) -> list[Savings]:
    """The ledger: what renditions of the actor's files came to, by stage."""
    return await core.db.read(renditions.savings, actor.library_id)


async def export(
    actor: Actor, core: Core, wanted: Sequence[Rendition], folder: Path
) -> list[Path | DarkroomError]:
    """Verified copies of renditions in a folder outside Darkroom, under their files' names; of a
    file that is as good as its rendition would be (`is_as_is`) a copy of itself.

    One result for each, in order. Never overwrites: a name that is taken gets a number. Raises
    `NotAllowed` for a folder that Darkroom looks after.
    """
    await outside.require(core, folder)
    rows = {one.file_id: await files.one(actor, core, one.file_id) for one in wanted}
    return await asyncio.to_thread(_export_all, core, wanted, rows, folder)


def is_as_is(one: Rendition) -> bool:
    """True where nothing was made because nothing had to be changed."""
    return one.outcome == "skipped" and bool(one.facts.get("is_silent"))


def suffix_of(format_name: str) -> str:
    """What the names of copies in this format end with."""
    return FORMATS[format_name].extension


def _export_all(
    core: Core, wanted: Sequence[Rendition], rows: dict[str, FileRow], folder: Path
) -> list[Path | DarkroomError]:
    """A bundle keeps its names together: where one is taken, all get the same number."""
    results: dict[str, Path | DarkroomError] = {}
    for named in _bundles(wanted, rows):
        targets = names.around(list(named))
        number = 1
        while any(fsops.is_taken(Below(folder, one.path(number))) for one in targets):
            number += 1
        for one, target in zip(named.values(), targets, strict=True):
            place = Below(folder, target.path(number))
            results[one.id] = _export(core, one, rows[one.file_id], place)
    return [results[one.id] for one in wanted]


def _bundles(
    wanted: Sequence[Rendition], rows: dict[str, FileRow]
) -> Iterable[dict[str, Rendition]]:
    """What is exported together, by the name it is to get; a name that comes again stands alone."""
    groups: dict[str, dict[str, Rendition]] = {}
    for one in wanted:
        row, name = rows[one.file_id], _name_of(one, rows[one.file_id])
        group = groups.setdefault(row.bundle_id or row.id, {})
        if name in group:
            group = groups.setdefault(one.id, {})
        group[name] = one
    return groups.values()


def _name_of(one: Rendition, row: FileRow) -> str:
    made_from = PurePosixPath(row.path or row.source_path)
    width = f"-{one.width}" if one.kind.startswith("web-") else ""
    return f"{made_from.stem}{width}{PurePosixPath(one.path or made_from).suffix}"


def _export(core: Core, one: Rendition, row: FileRow, target: Below) -> Path | DarkroomError:
    folder = target.base
    try:
        source = _source(core, one, row)
        digest, identity = fsops.hash_file(source)
        if digest != (one.sha256 if is_as_is(one) else one.made_sha256):
            raise Refused("It changed on the disk; nothing was copied.", path=source.path)
        fsops.make_folders(folder.parent, folder.name)
        staged = Below(folder, f".darkroom-{one.id}")
        fsops.drop_staged(staged)
        copy = fsops.copy_verified(source, staged, identity=identity, sha256=digest)
        fsops.link_new(copy, target)
        fsops.drop_staged(staged)
        fsops.fsync_folders(folder, [""])
    except DarkroomError as error:
        return error
    return target.path


def _source(core: Core, one: Rendition, row: FileRow) -> Below:
    if not is_as_is(one):
        return Below(core.home.cache, one.path or "")
    if row.path is None:
        raise Refused("It lies outside the library and tells nothing: copy it yourself.")
    return Below(core.home.library, row.path)


def _require_stage(order: Order) -> None:
    known = {s.name for s in discover("pipeline.stages", "STAGE") if s.is_on_request}
    known.discard(rendering.COMPARE)
    if order.stage not in known:
        raise Invalid(f"Nothing can be made with {order.stage!r}.", hint=", ".join(sorted(known)))
