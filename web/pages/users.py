"""Who has an account here; inviting, and closing the door again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import users
from web.contract import Asked
from web.shell import Page


async def _gather(asked: Asked) -> Mapping[str, Any]:
    return {"users": await users.listing(asked.actor, asked.core)}


PAGE = Page(
    name="users",
    path="/users",
    right=Right.USERS_READ,
    gather=_gather,
    template="users.html",
    order=9,
    icon="users",
    scripts=("act.js", "invite.js"),
)
