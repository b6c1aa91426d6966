"""Taking stock: are the files that should lie below a root still there?

A few missing ones are marked as missing, which is all that ever happens to them; they come back by
themselves. Many at once stop everything until a person confirms. The root is looked at before and
after, so that a disk pulled out in the middle is offline and not a loss.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.clock import Clock, timestamp
from pipeline.events import FileMissing, FileReturned
from pipeline.intake import roots
from pipeline.intake.roots import Health, Offline
from pipeline.state import audit, events
from pipeline.state import roots as stored_roots
from pipeline.state.connection import Database
from pipeline.state.roots import KnownFile, StoredRoot

_PAGE = 1000
_REASON = "It is not where it should be. Nothing was done about it."


@dataclass(frozen=True, slots=True)
class Limits:
    """More than so many missing, or more than such a share of what is known: stop and ask."""

    count: int = 100
    share: float = 0.05

    def are_exceeded(self, missing: int, known: int) -> bool:
        """Is it too much to be believed without asking?"""
        return missing > self.count or (known > 0 and missing / known > self.share)


@dataclass(slots=True)
class _Count:
    known: int = 0
    missing: list[KnownFile] = field(default_factory=list)  # all that are not there
    returned: list[KnownFile] = field(default_factory=list)  # marked missing, and there


async def take_stock(
    db: Database, clock: Clock, root_id: str, limits: Limits, *, actor: str = "watch"
) -> Health:
    """Compare what should lie below the root with what does; see the module for what follows."""
    health = await roots.check(db, clock, root_id, actor=actor)
    if isinstance(health, Offline):
        return health
    stored = await roots.stored_root(db, root_id)
    count = await _count(db, stored)
    again = await roots.check(db, clock, root_id, actor=actor)
    if isinstance(again, Offline):
        return again
    fresh = [file for file in count.missing if not file.is_missing]
    at = timestamp(clock.now())
    if limits.are_exceeded(len(fresh), count.known):
        return await db.write(roots.ask, stored, len(fresh), count.known, at, actor)
    await db.write(_mark, stored, fresh, count.returned, at, actor)
    return roots.Online()


async def mark_missing(db: Database, clock: Clock, stored: StoredRoot, *, actor: str) -> int:
    """Mark everything that is not there as missing, however much; returns how much is new."""
    count = await _count(db, stored)
    fresh = [file for file in count.missing if not file.is_missing]
    at = timestamp(clock.now())
    await db.write(_mark, stored, fresh, count.returned, at, actor)
    return len(fresh)


async def _count(db: Database, stored: StoredRoot) -> _Count:
    """Look for every known file, a page at a time, so that nobody waits for a slow disk."""
    count, after = _Count(), ""
    while page := await db.read(stored_roots.known_files, stored.root, after, _PAGE):
        present = await asyncio.to_thread(_present, stored.root.path, page)
        for file, is_there in zip(page, present, strict=True):
            count.known += not file.is_missing
            if not is_there:
                count.missing.append(file)
            elif file.is_missing:
                count.returned.append(file)
        after = page[-1].id
    return count


def _present(root: Path, files: Sequence[KnownFile]) -> list[bool]:
    base = os.fsencode(root) + b"/"
    return [os.path.lexists(base + file.path) for file in files]


def _mark(
    con: sqlite3.Connection,
    stored: StoredRoot,
    missing: Sequence[KnownFile],
    returned: Sequence[KnownFile],
    at: str,
    actor: str,
) -> None:
    for file in missing:
        if stored_roots.set_missing(con, stored.root, file, _REASON, at):
            path = os.fsdecode(file.path).encode("utf-8", "replace").decode()
            audit.tell_as(con, actor, FileMissing(file.id, path=path), at, before={"path": path})
    for file in returned:
        if stored_roots.set_returned(con, file.id, at):
            events.append(con, FileReturned(file.id), actor=actor, at=at)
    if stored.state != "online":
        roots.note(con, stored, roots.Online(), at, actor)
