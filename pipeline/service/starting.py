"""Starting jobs from afar: answered at once with the job's id, done behind the answer."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.errors import DarkroomError, Invalid, NotFound
from pipeline.model import Actor
from pipeline.service import bundles, files, finding, process, renditions, studying
from pipeline.service.renditions import Order
from pipeline.state import jobs
from pipeline.state.files import FileRow

if TYPE_CHECKING:
    from pipeline.core import Core

MOST = 100_000  # files of one job that are chosen by a query
FOR_OTHERS = ("blur", "scrub")  # whose film or sidecar would tell what the copy hides


async def taking_in(actor: Actor, core: Core, paths: Sequence[Path], *, move: bool = False) -> str:
    """Take in what lies in these folders of the server; the job's id.

    Raises `NotFound` for a path that is not there, `Invalid` for one that is not absolute.
    """
    for path in paths:
        if not path.is_absolute():
            raise Invalid("Name folders by their whole path.", path=path)
        if not await asyncio.to_thread(path.exists):
            raise NotFound("There is no such file or folder.", path=path)
    core.errands.refuse_if_full()
    job_id = await process.begin(actor, core, paths, move=move)
    core.errands.run(
        functools.partial(_find, actor, core, job_id, paths, move), f"take in {job_id}"
    )
    return job_id


async def making(
    actor: Actor, core: Core, wanted: Sequence[str], query: str | None, order: Order
) -> str:
    """Make something of files, named or by a query; the job's id.

    What is made for others takes along what belongs to the files. Raises `Invalid` where both or
    none of them say which files, or where there is none.
    """
    rows = await _chosen(actor, core, wanted, query)
    if order.stage in FOR_OTHERS:
        rows = list((await bundles.together(actor, core, rows, order.stage)).rows)
    return (await renditions.start(actor, core, rows, order)).job_id


async def study(actor: Actor, core: Core) -> str:
    """Study again what could not be seen before. Raises `Invalid` where nothing is left to see."""
    job_id = await studying.start(actor, core)
    if job_id is None:
        raise Invalid("Everything is known that can be seen.")
    return job_id


async def _find(actor: Actor, core: Core, job_id: str, paths: Sequence[Path], move: bool) -> None:
    """What goes wrong while looking stands in the job."""
    try:
        await process.find(actor, core, job_id, paths, move=move)
    except DarkroomError as error:
        at = timestamp(core.clock.now())
        fail = functools.partial(jobs.end, actor=actor.label, error=str(error))
        await core.db.write(fail, job_id, "failed", at)


async def _chosen(
    actor: Actor, core: Core, wanted: Sequence[str], query: str | None
) -> list[FileRow]:
    names = await finding.meant(actor, core, wanted, query)
    if len(names) > MOST:
        raise Invalid(f"More than {MOST:,} files fit this query.", hint="Ask for less.")
    return await files.resolve(actor, core, names)
