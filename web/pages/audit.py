"""Who did what to the household, as a chain that cannot be changed unnoticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import audit
from web.contract import Asked
from web.shell import Page

SHOWN = 100


async def _gather(asked: Asked) -> Mapping[str, Any]:
    return {"lines": await audit.page(asked.actor, asked.core, limit=SHOWN)}


PAGE = Page(
    name="audit",
    path="/audit",
    right=Right.AUDIT_READ,
    gather=_gather,
    template="audit.html",
    order=10,
    icon="audit",
)
