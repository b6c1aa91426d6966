"""What the library is made of, what could go, and when the disk will be full."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.core import Mode
from pipeline.model import Actor
from pipeline.state import storage
from pipeline.state.storage import Counted, Storage

if TYPE_CHECKING:
    from pipeline.core import Core

FRESH = timedelta(minutes=10)  # counting again sooner is not worth it
HISTORY_DAYS = 90
SURE_DAYS = 3  # of history, before anything is foretold


@dataclass(frozen=True, slots=True)
class Forecast:
    """In how many days the disk is full if it goes on like this: at the least, and at the most."""

    soonest_days: int
    latest_days: int | None  # None: by one measure it does not grow


@dataclass(frozen=True, slots=True)
class Told:
    """A count and what follows from it; `history` is (day, files, bytes), oldest first."""

    at: str
    storage: Storage
    disk_free: int
    disk_total: int
    history: tuple[tuple[str, int, int], ...]
    forecast: Forecast | None


async def look(actor: Actor, core: Core, *, fresh: bool = False) -> Told:
    """The actor's library, counted at most ten minutes ago, or now with `fresh`."""
    now = core.clock.now()
    known = await core.db.read(storage.history, actor.library_id, HISTORY_DAYS)
    if fresh or not known or datetime.fromisoformat(known[0].at) < now - FRESH:
        counted = await core.db.read(storage.count, actor.library_id)
        newest = Counted(f"{now:%Y-%m-%d}", timestamp(now), counted)
        if core.mode is not Mode.LOOK:
            await core.db.write(storage.keep, actor.library_id, newest)
        known = [newest, *(one for one in known if one.day != newest.day)]
    disk = await asyncio.to_thread(shutil.disk_usage, core.home.library)
    return Told(
        at=known[0].at,
        storage=known[0].storage,
        disk_free=disk.free,
        disk_total=disk.total,
        history=tuple(
            (one.day, one.storage.total.files, one.storage.total.bytes) for one in reversed(known)
        ),
        forecast=forecast(known, disk.free),
    )


def forecast(known: Sequence[Counted], free: int) -> Forecast | None:
    """From the growth of the last week and of all that is known; `known` is newest first.

    None while the history is short, and where nothing grows.
    """
    rates = [rate for rate in (_growth(known, 7), _growth(known, HISTORY_DAYS)) if rate is not None]
    growing = [rate for rate in rates if rate > 0]
    if not growing:
        return None
    latest = int(free / min(growing)) if len(growing) == len(rates) else None
    return Forecast(int(free / max(growing)), latest)


def _growth(known: Sequence[Counted], days: int) -> float | None:
    """Bytes a day over the last so many days; None when less than three are known."""
    if not known:
        return None
    newest = date.fromisoformat(known[0].day)
    within = [one for one in known if (newest - date.fromisoformat(one.day)).days <= days]
    passed = (newest - date.fromisoformat(within[-1].day)).days
    if passed < SURE_DAYS:
        return None
    return (known[0].storage.total.bytes - within[-1].storage.total.bytes) / passed
