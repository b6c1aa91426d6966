"""Months: the whole library in a few kilobytes, for a grid that can jump anywhere."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import months
from pipeline.service.months import Tile
from web.contract import API, Answer, Asked, Given, Resource
from web.paging import Paged, cursor_of, links, values_of
from web.problems import Problem

RESOURCE = Resource("months", "The library by month, in the form a grid wants.")
UNDATED = "undated"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class MonthView(Given):
    """A month: how many files, and how wide they are together at height 1."""

    month: str
    files: int
    ratios: float


class Months(Given):
    """All months, newest first."""

    items: list[MonthView]


class Tiles(Given):
    """Part of a month, newest first: one list for each property, all of the same length.

    `keys` change with the content and make thumbnails' addresses immutable; empty: there is none.
    `thumbnails` are those addresses where they begin elsewhere than here; else the list is empty.
    """

    ids: list[str]
    taken: list[str]
    ratios: list[float]
    kinds: str  # one letter each: p a photo, v a video
    durations: list[float | None]
    keys: list[str]
    thumbnails: list[str]
    next: str | None


class WholeMonth(Paged):
    """A month is usually read in one piece."""

    limit: Annotated[int, Field(ge=1, le=2_000)] = 1_000


@RESOURCE.get("/months", right=Right.FILES_READ, gives=Months)
async def listing(asked: Asked) -> Months:
    """Every month that has something to show."""
    found = await months.listing(asked.actor, asked.core)
    return Months(
        items=[
            MonthView(month=one.month or UNDATED, files=one.files, ratios=one.ratios)
            for one in found
        ]
    )


@RESOURCE.get("/months/<month>", right=Right.FILES_READ, gives=Tiles, query=WholeMonth)
async def show(asked: Asked, month: str, query: WholeMonth) -> Answer:
    """What a month holds, newest first; `undated` holds what has no date."""
    if month != UNDATED and not _MONTH.fullmatch(month):
        raise Problem(404, "A month is written like 2023-07.", "not-found")
    told = values_of(query.cursor, [str, str])
    before = (str(told[0]), str(told[1])) if told else None
    name = "" if month == UNDATED else month
    found = await months.tiles(asked.actor, asked.core, name, query.limit, before)
    is_whole = len(found) < query.limit
    cursor = None if is_whole else cursor_of([found[-1].taken_utc, found[-1].id])
    is_cached = bool(asked.core.settings.web.cdn_url)
    thumbnails = [_thumbnail(one) for one in found] if is_cached else []
    return Answer(_columns(found, cursor, thumbnails), headers=links(asked.request, cursor))


def _thumbnail(one: Tile) -> str:
    """A plain address; `web.edge` signs it on its way out."""
    key = (one.sha256 or "")[:12]
    return f"{API}/files/{one.id}/derivatives/thumbnail?v={key}" if key else ""


def _columns(found: list[Tile], cursor: str | None, thumbnails: list[str]) -> Tiles:
    return Tiles(
        ids=[one.id for one in found],
        taken=[one.taken_utc for one in found],
        ratios=[one.ratio for one in found],
        kinds="".join(one.category[0] for one in found),
        durations=[one.duration_s for one in found],
        keys=[(one.sha256 or "")[:12] for one in found],
        thumbnails=thumbnails,
        next=cursor,
    )
