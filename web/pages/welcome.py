"""Where a link leads that opens an account: choosing a name and a password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.contract import Asked
from web.shell import Page


async def _gather(asked: Asked) -> Mapping[str, Any]:
    return {
        "problem": asked.request.args.get("problem", "")[:500],
        "shortest": asked.core.settings.accounts.password_length,
    }


PAGE = Page(
    name="welcome",
    path="/welcome",
    right=None,
    gather=_gather,
    template="welcome.html",
    scripts=("welcome.js",),
)
