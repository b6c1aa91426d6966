"""Signing in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.contract import Asked
from web.shell import Page


async def _gather(asked: Asked) -> Mapping[str, Any]:
    given = asked.request.args
    providers = asked.core.settings.accounts.providers
    return {"next": given.get("next", "/"), "failed": "failed" in given, "providers": providers}


PAGE = Page(name="login", path="/login", right=None, gather=_gather, template="login.html")
