"""The library: everything there is, newest first, as a wall of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import finding, months
from pipeline.service.answers import FileRow
from web.contract import Asked
from web.paging import cursor_of, values_of
from web.shell import Page

FIRST = 32  # pictures that come with the page itself


async def _gather(asked: Asked) -> Mapping[str, Any]:
    words = asked.request.args.get("q", "").strip()[:4_000]
    query = finding.query_of(asked.core, words, state="done")
    told = values_of(asked.request.args.get("cursor"), [int])
    start = int(told[0]) if told else None
    found = await finding.find(asked.actor, asked.core, query, limit=FIRST, after=start)
    listing = await months.listing(asked.actor, asked.core)
    following = None if found.following is None else cursor_of([found.following])
    return {
        "words": words,
        "tiles": [row for row in found.rows if _is_shown(row)],
        "following": following,
        "total": sum(month.files for month in listing),
    }


def _is_shown(row: FileRow) -> bool:
    return row.category in ("photo", "video") and row.bundle_role in (None, "primary", "edit")


PAGE = Page(
    name="library",
    path="/",
    right=Right.FILES_READ,
    gather=_gather,
    template="library.html",
    order=1,
    icon="library",
    scripts=("library.js", "upload.js"),
)
