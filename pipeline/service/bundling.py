"""A person's word about what belongs together: joining files into one bundle, and splitting it.

What is joined moves, is trashed and restored as one from then on; where the files lie and what they
are called does not change. Each is a job, undone as such.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.access.rights import Right, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import Conflict, Invalid, NotFound
from pipeline.events import BundleJoined, BundleSplit, Event
from pipeline.intake.formats import RAW
from pipeline.model import Actor, BundleRole, Category, FileState, JsonObject
from pipeline.state import audit, bundle_journal, files, jobs
from pipeline.state.audit import By
from pipeline.state.files import FileRow

if TYPE_CHECKING:
    from pipeline.core import Core

JOIN, SPLIT = "bundle-join", "bundle-split"
MOST = 100  # files of one bundle


@dataclass(frozen=True, slots=True)
class Regrouped:
    """The bundle that was made or changed, and the job to undo it by."""

    bundle_id: str
    job_id: str


async def join(actor: Actor, core: Core, file_ids: Sequence[str]) -> Regrouped:
    """Let files, with all that belongs to them, be one bundle; the first is what people look at.

    Where the first belongs to something already, that goes on. Raises `NotFound` for a file that is
    not the actor's, `Invalid` where nothing would be joined or only sidecars, `Conflict` for a file
    that does not lie in the library now.
    """
    require(actor, Right.FILES_WRITE)
    new = new_id(core.clock.now())

    def change(con: sqlite3.Connection, job_id: str, by: By) -> str:
        named = _named(con, actor, file_ids)
        rows = _with_bundles(con, actor, named)
        if len(rows) < 2 or len({row.bundle_id or row.id for row in rows}) < 2:
            raise Invalid("These belong together already.", hint="Name at least two files.")
        if len(rows) > MOST:
            raise Invalid(f"A bundle is at most {MOST} files.")
        _refuse_away(rows)
        first = named[0]
        bundle_id = first.bundle_id or new
        beside = [row for row in rows if row.bundle_id and row.bundle_id == first.bundle_id]
        kept = {row.id: (bundle_id, row.bundle_role) for row in beside}
        leader = next((r for r in beside if r.bundle_role is BundleRole.PRIMARY), first)
        _refuse_sidecar(leader)
        coming = [row for row in rows if row.id not in kept and row is not leader]
        roles = _roles(coming, leader, [row.bundle_role for row in beside])
        wanted: bundle_journal.Places = {id: (bundle_id, role) for id, role in roles.items()}
        wanted = {**wanted, **kept, leader.id: (bundle_id, BundleRole.PRIMARY)}
        bundle_journal.regroup(con, actor.library_id, wanted, core.clock, job_id=job_id)
        _tell(con, by, BundleJoined(bundle_id, tuple(sorted(wanted))), rows, bundle_id)
        return bundle_id

    return await _as_job(actor, core, JOIN, {"files": list(file_ids)}, change)


async def split(actor: Actor, core: Core, bundle_id: str, file_ids: Sequence[str]) -> Regrouped:
    """Take files out of a bundle; together they are one of their own, which is answered.

    Raises `NotFound` for a bundle or a file in it that is not there, `Invalid` where nothing, or
    nothing to look at, would be left on one of the sides, `Conflict` as `join`.
    """
    require(actor, Right.FILES_WRITE)
    new = new_id(core.clock.now())

    def change(con: sqlite3.Connection, job_id: str, by: By) -> str:
        rows = files.in_bundle(con, actor.library_id, bundle_id)
        if not rows or set(file_ids) - {row.id for row in rows}:
            raise NotFound("There are no such files that belong together.")
        _refuse_away(rows)
        going = [row for row in rows if row.id in set(file_ids)]
        staying = [row for row in rows if row.id not in set(file_ids)]
        wanted = {
            row.id: (bundle, role)
            for bundle, side in ((bundle_id, staying), (new, going))
            for row, role in _led(side)
        }
        bundle_journal.regroup(con, actor.library_id, wanted, core.clock, job_id=job_id)
        split_off = BundleSplit(bundle_id, tuple(row.id for row in going), new)
        _tell(con, by, split_off, going, new)
        return new

    return await _as_job(actor, core, SPLIT, {"bundle": bundle_id, "files": list(file_ids)}, change)


async def _as_job(
    actor: Actor,
    core: Core,
    job_type: str,
    params: JsonObject,
    change: Callable[[sqlite3.Connection, str, By], str],
) -> Regrouped:
    now = core.clock.now()
    job_id, by = new_id(now), By(actor, timestamp(now))

    def write(con: sqlite3.Connection) -> str:
        jobs.begin(con, by, job_id, job_type, params)
        bundle_id = change(con, job_id, by)
        jobs.count(con, job_id, len(params["files"]), 0)
        jobs.end(con, job_id, "done", by.at, actor=actor.label)
        return bundle_id

    return Regrouped(await core.db.write(write), job_id)


def _tell(
    con: sqlite3.Connection, by: By, event: Event, rows: Sequence[FileRow], bundle_id: str
) -> None:
    was: JsonObject = {row.id: row.bundle_id for row in rows}
    audit.tell(con, by, event, before=was, after=dict.fromkeys(was, bundle_id))


# --- who is what --------------------------------------------------------------------------------


def _named(con: sqlite3.Connection, actor: Actor, file_ids: Sequence[str]) -> list[FileRow]:
    found = files.get_many(con, actor.library_id, file_ids)
    missing = next((one for one in file_ids if one not in found), None)
    if missing is not None or not file_ids:
        raise NotFound(f"There is no file {missing!r}.")
    return [found[one] for one in file_ids]


def _with_bundles(con: sqlite3.Connection, actor: Actor, named: Sequence[FileRow]) -> list[FileRow]:
    rows = {row.id: row for row in named}
    for bundle_id in dict.fromkeys(row.bundle_id for row in named if row.bundle_id):
        beside = files.in_bundle(con, actor.library_id, bundle_id)
        rows |= {row.id: row for row in beside}
    return list(rows.values())


def _refuse_away(rows: Sequence[FileRow]) -> None:
    away = next((row for row in rows if row.state is not FileState.DONE), None)
    if away is not None:
        raise Conflict(f"The file {away.id!r} is not in the library now: it is {away.state}.")


def _refuse_sidecar(leader: FileRow) -> None:
    if leader.category is Category.SIDECAR:
        raise Invalid("A sidecar belongs to something; name what it belongs to first.")


def _led(side: Sequence[FileRow]) -> list[tuple[FileRow, BundleRole]]:
    """The roles on one side of a split: who led still does, else the first that can be seen."""
    seen = [row for row in side if row.category is not Category.SIDECAR]
    if not seen:
        raise Invalid("Something to look at has to be left on both sides.")
    leader = next((row for row in seen if row.bundle_role is BundleRole.PRIMARY), seen[0])
    return [
        (row, BundleRole.PRIMARY if row is leader else row.bundle_role or BundleRole.EDIT)
        for row in side
    ]


def _roles(
    coming: Sequence[FileRow], leader: FileRow, taken: Sequence[BundleRole | None]
) -> dict[str, BundleRole]:
    """What newcomers are to the leader; a picture has one moving half."""
    films = leader.category is not Category.PHOTO or BundleRole.LIVE_VIDEO in taken
    roles: dict[str, BundleRole] = {}
    for row in coming:
        if row.category is Category.SIDECAR:
            roles[row.id] = BundleRole.SIDECAR
        elif row.category is Category.VIDEO and not films:
            roles[row.id], films = BundleRole.LIVE_VIDEO, True
        else:
            roles[row.id] = BundleRole.RAW if row.format in RAW else BundleRole.EDIT
    return roles
