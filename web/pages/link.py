"""What a link shows to people without an account: its door, and the pictures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import NotFound
from pipeline.service import shares
from web.contract import Asked
from web.cookies import pass_of
from web.paging import cursor_of, values_of
from web.shell import Page

PICTURES = 200  # on one page


async def _gather(asked: Asked, token: str) -> Mapping[str, Any]:
    shown = pass_of(asked.request, token)
    try:
        inside = await shares.inside(asked.core, token, shown)
    except NotFound:
        look = await shares.look(asked.core, token)
        return {"look": look, "inside": None, "token": token, "asked": asked.request.args}
    told = values_of(asked.request.args.get("cursor"), [str])
    after = str(told[0]) if told else None
    found = await shares.page(asked.core, token, shown, after=after, limit=PICTURES + 1)
    rows = found.rows[:PICTURES]
    following = cursor_of([rows[-1].id]) if len(found.rows) > PICTURES else None
    return {"inside": inside, "rows": rows, "following": following, "token": token}


PAGE = Page(name="link", path="/s/<token>", right=None, gather=_gather, template="link.html")
