"""Editing what is known of files: one with what belongs to it, or many as part of a batch.

Every edit is one job, journaled, so that `jobs.undo` takes it back. Nobody overwrites a change that
they have not seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.clock import new_id, timestamp
from pipeline.model import Actor
from pipeline.service import editing, files
from pipeline.service.editing import Say
from pipeline.service.requests import Retag
from pipeline.state import edits, file_versions, jobs, tags
from pipeline.state.audit import By
from pipeline.state.edits import Decide, Edit, Edited
from pipeline.state.tags import Wanted

if TYPE_CHECKING:
    from pipeline.core import Core

JOB_TYPE = "edit"
AT_ONCE = 500  # files in one transaction: others write in between


async def said(actor: Actor, core: Core, file_id: str) -> Edit:
    """What people said of one of the actor's files. Raises `NotFound`."""
    row = await files.one(actor, core, file_id)
    return await core.db.read(edits.of, row.id)


async def version(actor: Actor, core: Core, file_id: str) -> str:
    """The version of what is known of one file. Raises `NotFound`."""
    return await core.db.read(file_versions.of, actor.library_id, file_id)


async def edit(
    actor: Actor,
    core: Core,
    file_id: str,
    change: Say | None,
    *,
    given: Sequence[str] | None = None,
    seen: str | None = None,
) -> str:
    """Edit one file, with what belongs to it; `given` are all the tags it is to have.

    The job, to undo it by. Raises `NotFound`, `Invalid`, and `Stale` where the file is another than
    the version that was `seen`.
    """
    await files.one(actor, core, file_id)
    decide = None
    if change is not None:
        decide = await editing.decider(core, editing.checked(change))
    wanted = None if given is None else Retag(add=tuple(given)).words()
    now = core.clock.now()
    job_id, at = new_id(now), timestamp(now)

    def write(con: sqlite3.Connection) -> None:
        file_versions.require(con, actor.library_id, file_id, seen)
        jobs.begin(con, By(actor, at), job_id, JOB_TYPE, {"file": file_id})
        if decide is not None:
            carry_out(con, actor, core, [file_id], decide, job_id=job_id)
        if wanted is not None:
            _retag(con, actor, core, file_id, wanted, job_id)
        jobs.count(con, job_id, 1, 0)
        jobs.end(con, job_id, "done", at, actor=actor.label)

    await core.db.write(write)
    return job_id


async def edit_many(
    actor: Actor, core: Core, file_ids: Sequence[str], decide: Decide, job_id: str | None
) -> list[Edited]:
    """Edit files as part of a job; without one only say what would become of them."""
    told: list[Edited] = []
    for start in range(0, len(file_ids), AT_ONCE):
        part = file_ids[start : start + AT_ONCE]
        if job_id is None:
            told += await core.db.read(carry_out, actor, core, part, decide, job_id=None)
        else:
            told += await core.db.write(carry_out, actor, core, part, decide, job_id=job_id)
    return told


def carry_out(
    con: sqlite3.Connection,
    actor: Actor,
    core: Core,
    file_ids: Sequence[str],
    decide: Decide,
    *,
    job_id: str | None,
) -> list[Edited]:
    """Edit files and what belongs to them in the caller's transaction."""
    who = actor.library_id
    ids = edits.together(con, who, file_ids)
    if job_id is None:
        return edits.plan(con, who, ids, decide)
    return edits.change(con, who, ids, decide, core.clock, job_id=job_id, actor=actor.label)


def _retag(
    con: sqlite3.Connection,
    actor: Actor,
    core: Core,
    file_id: str,
    wanted: Sequence[str],
    job_id: str,
) -> None:
    """Give a file exactly these tags."""
    who = actor.library_id
    now = tags.of(con, who, file_id)
    change = Wanted(
        tuple(tag for tag in wanted if tag not in now),
        tuple(tag for tag in now if tag not in wanted),
    )
    if change.add or change.remove:
        tags.change(con, who, [file_id], change, core.clock, job_id=job_id, actor=actor.label)
