"""What ran when: jobs, and in each worker slot the files with their stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import jobs
from web.contract import Asked
from web.shell import Page

SHOWN = 50


async def _gather(asked: Asked) -> Mapping[str, Any]:
    return {"jobs": await jobs.recent(asked.actor, asked.core, SHOWN)}


PAGE = Page(
    name="timeline",
    path="/timeline",
    right=Right.JOBS_READ,
    gather=_gather,
    template="timeline.html",
    order=7,
    icon="timeline",
    scripts=("act.js", "timeline.js"),
)
