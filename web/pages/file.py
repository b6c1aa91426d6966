"""One file: the picture large, what is known of it, and how we know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import files, media, tags
from web.contract import Asked
from web.shell import Page


async def _gather(asked: Asked, file_id: str) -> Mapping[str, Any]:
    row = await files.one(asked.actor, asked.core, file_id)
    made = {one.kind: one for one in await media.made(asked.actor, asked.core, row.id)}
    origins = await tags.origins(asked.actor, asked.core, row.id)
    facts = await files.facts(asked.actor, asked.core, row.id)
    return {
        "file": row,
        "made": made,
        "tags": {tag: origin for tag, origin in origins.items() if not origin.is_removed},
        "facts": facts,
        "is_fragment": asked.request.headers.get("X-Fragment") == "1",
    }


PAGE = Page(
    name="file",
    path="/library/<file_id>",
    right=Right.FILES_READ,
    gather=_gather,
    template="file.html",
    scripts=("viewer.js",),
)
