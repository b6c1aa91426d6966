"""What is happening now, what waits, and what needs a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import jobs, status
from web.contract import Asked
from web.shell import Page

RECENT = 15


async def _gather(asked: Asked) -> Mapping[str, Any]:
    now = await status.look(asked.actor, asked.core)
    recent = await jobs.recent(asked.actor, asked.core, RECENT)
    active = {one.job.id for one in now.active_jobs}
    return {"now": now, "recent": [job for job in recent if job.id not in active]}


PAGE = Page(
    name="now",
    path="/now",
    right=Right.STATUS_READ,
    gather=_gather,
    template="now.html",
    order=2,
    icon="now",
    scripts=("act.js", "live.js"),
)
