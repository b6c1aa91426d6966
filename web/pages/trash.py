"""What was put away, and until when it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import trash
from web.contract import Asked
from web.shell import Page

SHOWN = 200


async def _gather(asked: Asked) -> Mapping[str, Any]:
    entries = await trash.listing(asked.actor, asked.core)
    size = sum(entry.size for entry in entries)
    return {"entries": entries[:SHOWN], "total": len(entries), "size": size}


PAGE = Page(
    name="trash",
    path="/trash",
    right=Right.FILES_READ,
    gather=_gather,
    template="trash.html",
    order=6,
    icon="trash",
    scripts=("act.js",),
)
