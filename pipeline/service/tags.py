"""Tags over the whole library: which there are, and writing them beside the files as XMP."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.clock import new_id, timestamp
from pipeline.errors import DarkroomError
from pipeline.finding.query import Term
from pipeline.library import sidecars
from pipeline.library.sidecars import Left, Plan
from pipeline.library.trash import Asking
from pipeline.model import Actor
from pipeline.state import jobs, search_find, tags
from pipeline.state import sidecars as stored
from pipeline.state.audit import By
from pipeline.state.tags import Origin, Used

if TYPE_CHECKING:
    from pipeline.core import Core

EXPORT = "tags-export"
_SLICE = 100  # files looked at together
REASON = "a newer sidecar says more"


@dataclass(frozen=True, slots=True)
class Exported:
    """The sidecar of one file, below the library; `reason` says why it was left as it is."""

    file: str
    sidecar: str
    action: str  # "new", "changed", "unchanged" or "left"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """What was written, or would be; `job_id` is what to undo, None where nothing was."""

    job_id: str | None
    dry_run: bool
    items: tuple[Exported, ...]


async def used(actor: Actor, core: Core) -> list[Used]:
    """Every tag of the actor's library, the most used first."""
    return await core.db.read_kept(("tags", "files"), tags.used, actor.library_id)


async def having(actor: Actor, core: Core, tag: str) -> list[str]:
    """The ids of the actor's files that have a tag."""
    return await core.db.read(tags.having, actor.library_id, tag)


async def origins(actor: Actor, core: Core, file_id: str) -> dict[str, Origin]:
    """The tags of one of the actor's files, with who says so."""
    return await core.db.read(tags.origins, actor.library_id, file_id)


async def export(actor: Actor, core: Core, query: Term, *, dry_run: bool = False) -> Export:
    """Write tags, people, faces and stars beside the files that fit `query`; undone as a job.

    A second run changes nothing. Originals are never touched.
    """
    ids = await core.db.read(search_find.ids, actor.library_id, query)
    items: list[Exported] = []
    job_id: str | None = None
    try:
        for start in range(0, len(ids), _SLICE):
            part = ids[start : start + _SLICE]
            plans = await _plans(actor, core, part)
            due = [one for one in plans if isinstance(one, Plan) and one.data is not None]
            left = [one for one in plans if isinstance(one, Left)]
            if due and not dry_run:
                job_id = job_id or await _begin(actor, core)
                left += await _write(actor, core, due, job_id)
            items += _items(plans, left)
    except (DarkroomError, asyncio.CancelledError):
        await _end(actor, core, job_id, "failed", items)
        raise
    await _end(actor, core, job_id, "done", items)
    return Export(job_id, dry_run, tuple(items))


async def _plans(actor: Actor, core: Core, ids: list[str]) -> list[Plan | Left]:
    files = await core.db.read(stored.sayable, actor.library_id, ids)
    return await asyncio.to_thread(sidecars.plan, core.home, files)


async def _write(actor: Actor, core: Core, due: list[Plan], job_id: str) -> list[Left]:
    asking = Asking(actor.library_id, actor.label, job=job_id, reason=REASON)
    days = core.settings.library.trash_days
    return await sidecars.write(core.db, core.clock, core.home, due, asking, days=days)


def _items(plans: list[Plan | Left], left: list[Left]) -> list[Exported]:
    reasons = {one.of.id: one.error.message for one in left}
    return [
        Exported(one.of.path, f"{one.of.path}.xmp", "left", reasons[one.of.id])
        if one.of.id in reasons or isinstance(one, Left)
        else Exported(one.of.path, one.path, _action(one))
        for one in plans
    ]


def _action(one: Plan) -> str:
    if one.data is None:
        return "unchanged"
    return "new" if one.older is None else "changed"


async def _begin(actor: Actor, core: Core) -> str:
    now = core.clock.now()
    job_id, at = new_id(now), timestamp(now)

    def begin(con: sqlite3.Connection) -> None:
        stored.give_up_unfinished(con, at)
        jobs.begin(con, By(actor, at), job_id, EXPORT, {})

    await core.db.write(begin)
    return job_id


async def _end(
    actor: Actor, core: Core, job_id: str | None, status: str, items: list[Exported]
) -> None:
    if job_id is None:
        return
    job, at = job_id, timestamp(core.clock.now())

    def end(con: sqlite3.Connection) -> None:
        jobs.count(con, job, len(items), sum(item.action == "left" for item in items))
        jobs.end(con, job, status, at, actor=actor.label)

    await core.db.write(end)
