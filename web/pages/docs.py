"""The API for people: every operation with its fields, to be read and tried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from web.contract import Asked
from web.shell import Page


async def _gather(asked: Asked) -> Mapping[str, Any]:
    return {}


PAGE = Page(
    name="docs",
    path="/docs",
    right=Right.ACCOUNT_READ,
    gather=_gather,
    template="docs.html",
    order=12,
    icon="docs",
    scripts=("docs.js",),
)
