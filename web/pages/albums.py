"""Albums: one's own and those that others lent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import albums
from web.contract import Asked
from web.shell import Page


async def _gather(asked: Asked) -> Mapping[str, Any]:
    return {"albums": await albums.listing(asked.actor, asked.core)}


PAGE = Page(
    name="albums",
    path="/albums",
    right=Right.ALBUMS_READ,
    gather=_gather,
    template="albums.html",
    order=5,
    icon="albums",
    scripts=("act.js",),
)
