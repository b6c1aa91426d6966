"""Tiers by age: what retention would make smaller and what that saves, and doing it.

A file belongs to the last tier that its age has reached. The forecast goes by what the same wish
came to before; where that is too little, a sample is made first, which the run then takes over.
"""

from __future__ import annotations

import calendar
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.model import Actor, Category, JsonObject
from pipeline.registry import discover
from pipeline.service import files, process, renditions
from pipeline.service.renditions import Order
from pipeline.state import renditions as stored
from pipeline.state.renditions import Due, Experience, Span, Wish

if TYPE_CHECKING:
    from config.settings import Tier
    from pipeline.core import Core

SAMPLE = 8  # files that a forecast rests on at least, where there are so many
_WISHES: Mapping[str, Mapping[Category, tuple[str, JsonObject]]] = {
    "high": {
        Category.PHOTO: ("optimise", {"lane": "jpeg", "target": 88}),
        Category.VIDEO: ("transcode", {"codec": "hevc", "target": 96}),
    },
    "compact": {
        Category.PHOTO: ("optimise", {"lane": "avif", "target": 78}),
        Category.VIDEO: ("transcode", {"codec": "av1", "target": 92}),
    },
}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one tier would do to one kind of file; `saved` is None where nothing is known yet."""

    quality: str
    after_months: int
    category: Category
    files: int
    bytes: int
    saved: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    tier: Tier
    category: Category
    order: Order
    wish: Wish
    due: tuple[Due, ...]


async def forecast(actor: Actor, core: Core, *, sample: int = 0) -> list[Forecast]:
    """What would be done now, tier by tier.

    With a `sample` up to so many copies are made of each part that little is known of; they wait in
    the cache, and nothing of the library changes.
    """
    found = []
    for part in await _parts(actor, core):
        known = await core.db.read(stored.experience, actor.library_id, part.wish)
        if known.files < sample and part.due:
            await _try_out(actor, core, part, sample - known.files)
            known = await core.db.read(stored.experience, actor.library_id, part.wish)
        found.append(_forecast(part, known))
    return found


async def start(actor: Actor, core: Core) -> list[str]:
    """Start a job for each part that has something to do; their ids."""
    started = []
    for part in await _parts(actor, core):
        if not part.due:
            continue
        rows = await files.resolve(actor, core, [one.id for one in part.due])
        job = await renditions.start(actor, core, rows, part.order)
        started.append(job.job_id)
    return started


async def _try_out(actor: Actor, core: Core, part: _Part, count: int) -> None:
    chosen = _spread([one.id for one in sorted(part.due, key=lambda one: one.size)], count)
    rows = await files.resolve(actor, core, chosen)
    order = Order(part.order.stage, part.order.wish)
    job = await renditions.start(actor, core, rows, order)
    async for _ in process.follow(actor, core, job.job_id):
        pass


def _spread(ids: Sequence[str], count: int) -> list[str]:
    """Up to `count` of them, evenly from first to last."""
    if len(ids) <= count:
        return list(ids)
    return [ids[(2 * index + 1) * len(ids) // (2 * count)] for index in range(count)]


def _forecast(part: _Part, known: Experience) -> Forecast:
    size = sum(one.size for one in part.due)
    saved = None
    if known.bytes_before:
        saved = round(size * (1 - known.bytes_after / known.bytes_before))
    tier = part.tier
    return Forecast(tier.quality, tier.after_months, part.category, len(part.due), size, saved)


async def _parts(actor: Actor, core: Core) -> list[_Part]:
    retention, now = core.settings.retention, core.clock.now()
    versions = {stage.name: stage.version for stage in discover("pipeline.stages", "STAGE")}
    tiers = sorted(retention.tiers, key=lambda tier: tier.after_months)
    parts = []
    for tier, older in pairwise([*tiers, None]):
        assert tier is not None, "only the last has none behind it"
        since = timestamp(_months_before(now, older.after_months)) if older else None
        span = Span(timestamp(_months_before(now, tier.after_months)), since)
        for category, (stage, params) in _WISHES[tier.quality].items():
            wish = Wish.of(stage, versions[stage], params)
            seek = functools.partial(stored.due, replaces=retention.replace)
            due = await core.db.read(seek, actor.library_id, category, span, wish)
            order = Order(stage, params, retention.replace)
            parts.append(_Part(tier, category, order, wish, tuple(due)))
    return parts


def _months_before(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    last = calendar.monthrange(max(year, 1), month + 1)[1]
    return moment.replace(year=max(year, 1), month=month + 1, day=min(moment.day, last))
