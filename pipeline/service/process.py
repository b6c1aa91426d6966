"""Taking files in, once, to the end: start, follow, sum up, report, and the plan of a rehearsal."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clock import new_id, timestamp, unix_ms
from pipeline.errors import DarkroomError, NotFound
from pipeline.intake import admit, filesystems, roots, sweep
from pipeline.library import fsops, planning
from pipeline.library.below import Below
from pipeline.model import Actor, Json, Priority, Root, RootKind, Take
from pipeline.state import faces, jobs, queue, reports, spans
from pipeline.state.audit import By
from pipeline.state.progress import Progress
from pipeline.work import headway

if TYPE_CHECKING:
    from pipeline.core import Core

JOB_TYPE = "process"
LOOK_S = 0.25  # progress is looked at four times a second
FACES_AT_ONCE = 2_000  # are grouped in about two seconds
PATIENCE_S = 10.0  # nothing moved for so long: what was put off is left for the next run


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in sum. `ignored` counts temporary and system files that were passed over."""

    found: int
    placed: int
    duplicates: int
    sidecars: int
    rejected: int
    failed: int
    ignored: int
    bytes_in: int
    bytes_placed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One source of a rehearsal: where it would go, or why it would not."""

    source: str
    target: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do."""

    move: bool
    bytes: int
    placed: tuple[PlannedFile, ...]
    duplicates: tuple[PlannedFile, ...]
    rejected: tuple[PlannedFile, ...]


async def start(actor: Actor, core: Core, paths: Sequence[Path], *, move: bool = False) -> str:
    """Find everything below `paths` and queue it as one job; its id.

    A folder is taken whole; a file alone, without its neighbours. With `move` sources are released
    after their verified copy. Raises `NotFound` for a path that is not there.
    """
    job_id = await begin(actor, core, paths, move=move)
    await find(actor, core, job_id, paths, move=move)
    return job_id


async def begin(actor: Actor, core: Core, paths: Sequence[Path], *, move: bool = False) -> str:
    """A job that will take in what is found below `paths`; its id. `find` makes it go on."""
    now = core.clock.now()
    job_id = new_id(now)
    await core.db.write(_begin, job_id, actor, _params(paths, move), timestamp(now))
    return job_id


async def find(
    actor: Actor, core: Core, job_id: str, paths: Sequence[Path], *, move: bool = False
) -> None:
    """Find everything below `paths` and queue it for the job. Raises as `start`."""
    swept = []
    for folder, only in await asyncio.to_thread(_extents, paths):
        swept.append(await _sweep(actor, core, folder, only, job_id=job_id, move=move))
    found = {
        "ignored": sum(sum(one.passed.values()) for one in swept),
        "unread": [f"{p.path}: {p.reason}" for one in swept for p in one.problems],
    }
    await core.db.write(jobs.set_params, job_id, {**_params(paths, move), **found})
    core.working_flow.poke()


def _params(paths: Sequence[Path], move: bool) -> dict[str, Json]:
    return {"paths": [os.fsdecode(path) for path in paths], "move": move}


async def follow(actor: Actor, core: Core, job_id: str) -> AsyncIterator[Progress]:
    """How far the job is, at most four times a second, until it is over; ends with the last word.

    It is over, too, when all that is left was put off (an unreadable file, a full disk) and
    nothing moves any more: a person waits, and the next run goes on with it.
    """
    await core.db.read(jobs.require, job_id, actor.library_id)
    draining = asyncio.create_task(core.working_flow.drain(job_id), name=f"drain {job_id}")
    moved, since = None, core.clock.monotonic()
    try:
        while not draining.done():
            step = core.progress.latest(job_id)
            if step is not None:
                yield step
                if moved != (moved := (step.studied, step.processed, step.put_off, step.total)):
                    since = core.clock.monotonic()
                is_stuck = core.clock.monotonic() - since > PATIENCE_S
                if is_stuck and _has_stopped(step) and await _has_really_stopped(core, job_id):
                    at = timestamp(core.clock.now())
                    await core.db.write(_give_up, job_id, step.why, actor, at)
                    break
            await asyncio.wait([draining], timeout=LOOK_S)
        else:
            await draining
        await _catch_up(core)
        standing = await core.db.read(reports.standing, job_id)
        if standing is not None:
            yield headway.progress_of(job_id, standing)
    finally:
        draining.cancel()


def _has_stopped(step: Progress) -> bool:
    return step.put_off >= step.waiting


async def _has_really_stopped(core: Core, job_id: str) -> bool:
    """As the state tells it now: what was last told may be old on a busy machine."""
    standing = await core.db.read(reports.standing, job_id)
    return standing is None or _has_stopped(headway.progress_of(job_id, standing))


def _give_up(con: sqlite3.Connection, job_id: str, why: str | None, actor: Actor, at: str) -> None:
    jobs.end(con, job_id, "failed", at, actor=actor.label, error=why)


async def _catch_up(core: Core) -> None:
    """Look-alikes and people of this run are known when it ends; big albums are left to `serve`."""
    from pipeline.core import Mode
    from pipeline.library import people, similar

    await core.db.write(spans.prune, unix_ms(core.clock.now()))
    if core.index is not None:
        await similar.catch_up(core.db, core.clock, core.index)
    if core.mode is not Mode.REHEARSE and await core.db.read(faces.count) <= FACES_AT_ONCE:
        await people.catch_up(core.db, core.clock)


async def summary(actor: Actor, core: Core, job_id: str) -> Summary:
    """The job in sum, so far."""
    job = await core.db.read(jobs.require, job_id, actor.library_id)
    totals = await core.db.read(reports.totals, job_id)
    return Summary(
        found=totals.found,
        placed=totals.placed,
        duplicates=totals.duplicates,
        sidecars=totals.sidecars,
        rejected=totals.rejected,
        failed=totals.failed + len(job.params.get("unread", ())),
        ignored=int(job.params.get("ignored", 0)),
        bytes_in=totals.bytes_in,
        bytes_placed=totals.bytes_placed,
        seconds=round(jobs.seconds(job, core.clock.now()), 3),
    )


async def report(actor: Actor, core: Core, job_id: str) -> AsyncIterator[dict[str, Json]]:
    """One object per source file, in the shape that DESIGN section 6 promises to programs.

    What was refused before it was read whole is hashed now, where it still lies at its source.
    """
    await core.db.read(jobs.require, job_id, actor.library_id)
    after = ""
    while page := await core.db.read(reports.page, job_id, after):
        for row in page:
            yield row if row["sha256"] else await asyncio.to_thread(_with_hash, row)
        after = page[-1]["id"]


def _with_hash(row: dict[str, Json]) -> dict[str, Json]:
    source = Path(row["source"])
    try:
        digest, _ = fsops.hash_file(Below(source.parent, source.name))
    except DarkroomError:  # gone, unreadable or changing: the report says nothing about its bytes
        return row
    return {**row, "sha256": digest}


async def plan(actor: Actor, core: Core, job_id: str) -> Plan:
    """What placing the studied files of a rehearsal would do, name by name."""
    job = await core.db.read(jobs.require, job_id, actor.library_id)
    rows = [row async for row in report(actor, core, job_id)]
    sources = {row["id"]: row for row in rows}
    units = await planning.plan(core.db, core.home, core.template, list(sources))
    placed = [
        PlannedFile(str(one.source.path), path)
        for unit in units
        for one, path in zip(unit.members, unit.paths(), strict=True)
    ]
    return Plan(
        move=bool(job.params["move"]),
        bytes=sum(one.identity.size for unit in units for one in unit.members),
        placed=tuple(sorted(placed, key=lambda file: file.target)),
        duplicates=_planned(rows, "duplicate"),
        rejected=_planned(rows, "rejected"),
    )


def _planned(rows: Iterable[dict[str, Json]], outcome: str) -> tuple[PlannedFile, ...]:
    return tuple(
        PlannedFile(row["source"], row["path"] or "", row["reason"] or "")
        for row in rows
        if row["outcome"] == outcome
    )


def _begin(
    con: sqlite3.Connection, job_id: str, actor: Actor, params: dict[str, Json], at: str
) -> None:
    jobs.begin(con, By(actor, at), job_id, JOB_TYPE, params)


def _extents(paths: Sequence[Path]) -> list[tuple[Path, tuple[str, ...] | None]]:
    """Folders as they are; single files gathered by their folder."""
    folders: dict[Path, list[str] | None] = {}
    for path in paths:
        if path.is_dir():
            folders[path] = None
        elif not path.exists():
            raise NotFound("There is no such file or folder.", path=path)
        elif (names := folders.setdefault(path.parent, [])) is not None:
            names.append(path.name)
    return [(folder, None if only is None else tuple(only)) for folder, only in folders.items()]


async def _sweep(
    actor: Actor,
    core: Core,
    folder: Path,
    only: tuple[str, ...] | None,
    *,
    job_id: str,
    move: bool,
) -> sweep.Swept:
    root = await _root(actor, core, folder, move=move)
    request = admit.Request(
        root=root,
        actor=actor.label,
        priority=Priority.INTERACTIVE,
        job_id=job_id,
        inodes_are_stable=await asyncio.to_thread(filesystems.has_stable_inodes, folder),
    )
    extent = sweep.Extent(only=only, skip=core.own_folders)
    quiet_s = min(core.settings.intake.stable_for_s, 2.0)  # a person is waiting
    swept = await sweep.sweep_once(core.db, core.clock, request, extent, quiet_s=quiet_s)
    await core.db.write(reports.note_known, job_id, swept.known, core.clock.now())
    boot = core.working_flow.boot
    await core.db.write(queue.take_over, job_id, swept.known, core.clock.now(), boot)
    return swept


async def _root(actor: Actor, core: Core, folder: Path, *, move: bool) -> Root:
    from pipeline.core import Mode

    moves = move and core.mode is not Mode.REHEARSE  # a rehearsal writes no marker
    kind, take = (RootKind.MANAGED, Take.MOVE) if moves else (RootKind.FOREIGN, Take.COPY)
    wanted = roots.Wanted(folder, kind, take, actor.library_id)
    return await roots.ensure(core.db, core.clock, wanted, own=core.own_folders)
