"""Samples of a day made fewer, for graphs: what is over never changes, and is merged only once.

A day is thousands of rows of JSON, and every page that shows a graph asks for it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from pipeline.state import metrics
from pipeline.state.connection import Database
from pipeline.state.metrics import FINE_S, Sample

STEPS = 2  # sizes of a step that are kept: those that pages ask for


@dataclass(slots=True)
class _Kept:
    """Merged samples from `begin` on, of all steps that end before `end`."""

    begin: int
    end: int
    samples: list[Sample] = field(default_factory=list)
    going_on: list[Sample] = field(default_factory=list)  # what may still change
    asked: int = -1  # the ten seconds in which the state was asked last, if their sample was there


class Condensed:
    """The fine samples of one core; `recent` are those in memory, some of them not yet written."""

    def __init__(self, db: Database, recent: Collection[Sample]) -> None:
        self._db = db
        self._recent = recent
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._asking = asyncio.Lock()  # who asks beside somebody else waits, and finds it done

    async def between(self, since: int, until: int, every_s: int) -> tuple[Sample, ...]:
        """One sample for each `every_s` seconds, from the step that holds `since` to `until`."""
        begin = since - since % every_s
        async with self._asking:
            kept = self._kept.pop(every_s, None)
            if kept is None or not kept.begin <= begin or kept.end > until:  # the clock was set
                kept = _Kept(begin, begin)
            if until // FINE_S != kept.asked:  # there may be a sample more
                await self._catch_up(kept, until, every_s)
            kept.samples = [one for one in kept.samples if one.at >= begin]
            kept.begin = begin
            self._kept[every_s] = kept
            if len(self._kept) > STEPS:
                self._kept.popitem(last=False)
            return *kept.samples, *kept.going_on

    async def _catch_up(self, kept: _Kept, until: int, every_s: int) -> None:
        """Keep what is over by now, and what is not."""
        recent = tuple(self._recent)
        merged, latest = await self._db.read(_read, (kept.end, until), recent, every_s)
        kept.end = max(kept.end, latest - latest % every_s)
        kept.samples += [one for one in merged if one.at < kept.end]
        kept.going_on = [one for one in merged if one.at >= kept.end]
        kept.asked = until // FINE_S if recent and recent[-1].at + 2 * FINE_S > until else -1


def _read(
    con: sqlite3.Connection, period: tuple[int, int], recent: Sequence[Sample], every_s: int
) -> tuple[list[Sample], int]:
    """The samples of a period, merged, and when the latest of them began."""
    since, until = period
    found = metrics.between(con, FINE_S, since, until)
    newest = found[-1].at if found else since - 1
    found += [one for one in recent if newest < one.at < until]
    return metrics.merged(found, every_s), found[-1].at if found else since
