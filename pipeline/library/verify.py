"""Scrubbing: the library read again and compared with what was recorded when it was placed.

Finds flipped bits and vanished files, tells each once, and touches nothing. Many missing at once
mean a missing disk more often than missing photos: then it stops and asks (`intake/stock.py`).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.clock import Clock, timestamp
from pipeline.errors import BadMedia, DarkroomError
from pipeline.intake import roots, stock
from pipeline.intake.roots import Asking, Offline
from pipeline.intake.stock import Limits
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.model import Home
from pipeline.state import roots as stored_roots
from pipeline.state import settings, shelf
from pipeline.state.connection import Database
from pipeline.state.shelf import Shelved

ACTOR = "verify"
_SLICE = 16
_CURSOR = "verify.cursor"
Progress = Callable[[int, int], None]  # files read, files to read


@dataclass(slots=True)
class Scrubbed:
    """What a scrub found. Paths are below the library; `asking` says why it stopped, if it did."""

    checked: int = 0
    bytes: int = 0
    altered: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    asking: str | None = None


async def scrub(
    db: Database,
    clock: Clock,
    home: Home,
    *,
    share: float = 1.0,
    limits: Limits | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Scrubbed:
    """Take stock, then re-read a `share` of the library, going on where the last scrub ended.

    Raises StorageOffline when the library's disk is away. A file that is missing is marked so by
    the stock-taking; one that has changed is told as FileAltered, once.
    """
    found = Scrubbed()
    found.asking = await _take_stock(db, clock, home, limits or Limits())
    if found.asking is not None:
        return found
    total = await db.read(shelf.count)
    wanted = min(total, max(1, round(total * share)))
    after = (await db.read(settings.get, _CURSOR) or "") if wanted < total else ""
    while found.checked < wanted:
        files = await db.read(shelf.page, after, min(_SLICE, wanted - found.checked))
        if not files:
            if not after:
                break
            after = ""  # from the beginning again
            continue
        await _check(db, clock, home, files, found)
        after = files[-1].id
        await db.write(settings.put, _CURSOR, after)
        progress(found.checked, wanted)
    return found


async def _take_stock(db: Database, clock: Clock, home: Home, limits: Limits) -> str | None:
    library = await asyncio.to_thread(home.library.resolve)
    stored = await db.read(stored_roots.by_path, library)
    if stored is None:
        return None
    await _require(db, clock, stored.root.id)
    health = await stock.take_stock(db, clock, stored.root.id, limits, actor=ACTOR)
    match health:
        case Asking(reason) | Offline(reason):
            return reason
    return None


async def _require(db: Database, clock: Clock, root_id: str) -> None:
    health = await roots.check(db, clock, root_id, actor=ACTOR)
    if isinstance(health, Offline):
        await roots.require_online(db, clock, root_id)


async def _check(
    db: Database,
    clock: Clock,
    home: Home,
    files: Sequence[Shelved],
    found: Scrubbed,
) -> None:
    digests = await asyncio.to_thread(_digests, home, files)
    for file, digest in zip(files, digests, strict=True):
        found.checked += 1
        if digest is None:
            found.unreadable.append(file.path)
            continue
        found.bytes += file.size
        if digest != file.sha256:
            found.altered.append(file.path)
            tell = functools.partial(shelf.altered, actor=ACTOR)
            await db.write(tell, file, timestamp(clock.now()))


def _digests(home: Home, files: Sequence[Shelved]) -> list[str | None]:
    return [_digest(home, file) for file in files]


def _digest(home: Home, file: Shelved) -> str | None:
    """The file's hash now; None when it cannot be read, "" when somebody is writing to it."""
    try:
        return fsops.hash_file(Below(home.library, file.path))[0]
    except BadMedia:
        return ""
    except DarkroomError:
        return None
