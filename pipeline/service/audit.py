"""The audit log for those who may read it: pages, the check of its chain, and taking it out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING, Literal

from pipeline.access.rights import Right, require
from pipeline.clock import timestamp
from pipeline.model import Actor, Json
from pipeline.state import audit
from pipeline.state.audit import EVERYTHING, Asked, By, Line, Verified

if TYPE_CHECKING:
    from pipeline.core import Core

Format = Literal["jsonl", "csv"]
_SLICE = 1_000  # lines read at once
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run (T57)


def by(actor: Actor, core: Core) -> By:
    """Who changes something, and that it is now."""
    return By(actor, timestamp(core.clock.now()))


async def page(
    actor: Actor, core: Core, asked: Asked = EVERYTHING, *, before: int | None = None, limit: int
) -> list[Line]:
    """Lines that fit, the newest first, below the number `before`."""
    require(actor, Right.AUDIT_READ)
    return await core.db.read(audit.page, asked, before=before, limit=limit)


async def verify(actor: Actor, core: Core, noted: str | None = None) -> Verified:
    """Whether the chain is whole; `noted` is the head that an earlier check told."""
    require(actor, Right.AUDIT_READ)
    return await core.db.read(audit.verify, noted)


async def export(
    actor: Actor, core: Core, how: Format, asked: Asked = EVERYTHING
) -> AsyncIterator[str]:
    """Every line that fits, in order, as text to be written one after another."""
    require(actor, Right.AUDIT_READ)
    if how == "csv":
        yield _row([field.name for field in fields(Line)])
    seq = 0
    while lines := await core.db.read(audit.after, seq, _SLICE, asked):
        yield "".join(_csv(line) if how == "csv" else _json(line) for line in lines)
        seq = lines[-1].seq


def as_json(line: Line) -> dict[str, Json]:
    """A line with both states as values instead of text."""
    told = asdict(line)
    for name in ("before", "after"):
        told[name] = None if told[name] is None else json.loads(told[name])
    return told


def _json(line: Line) -> str:
    # As it was hashed: whoever holds the lines can follow the chain without Darkroom.
    return json.dumps(asdict(line), ensure_ascii=False) + "\n"


def _csv(line: Line) -> str:
    return _row([_cell(value) for value in astuple(line)])


def _cell(value: Json) -> str:
    """Text that a spreadsheet shows and does not run."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
