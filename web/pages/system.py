"""The machine and the library in numbers: load, memory, speed, and what takes the room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import metrics, status, storage
from web.contract import Asked
from web.shell import Page

DAY = 24 * 3600


async def _gather(asked: Asked) -> Mapping[str, Any]:
    actor, core = asked.actor, asked.core
    told = await storage.look(actor, core)
    now = await status.look(actor, core)
    return {
        "told": told,
        "storage": told.storage,
        "machine": now.system_resources,
        "stages": (await metrics.stages(actor, core, DAY))[:12],
        "trends": await metrics.trends(actor, core),
    }


PAGE = Page(
    name="system",
    path="/system",
    right=Right.STATUS_READ,
    gather=_gather,
    template="system.html",
    order=8,
    icon="system",
    scripts=("graphs.js",),
)
