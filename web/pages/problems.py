"""What each kind of problem means: where the `type` of a problem document leads."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import DarkroomError
from web.contract import Asked
from web.shell import Page


async def _gather(asked: Asked) -> Mapping[str, Any]:
    return {"kinds": {kind.code: inspect.getdoc(kind) or "" for kind in _all(DarkroomError)}}


def _all(kind: type[DarkroomError]) -> Iterator[type[DarkroomError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _all(below)


PAGE = Page(
    name="problems", path="/docs/problems", right=None, gather=_gather, template="problems.html"
)
