"""Going back to a snapshot of the state, and reading the library again after it."""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.core import Mode, home_of, move_own, open_core
from pipeline.errors import NotFound
from pipeline.library import rescan
from pipeline.model import Actor, Surface
from pipeline.state import audit, lock, sessions, snapshots
from pipeline.state.snapshots import Snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from config.settings import Settings
    from pipeline.clock import Clock
    from pipeline.model import Home


@dataclass(frozen=True, slots=True)
class Restored:
    """Which snapshot is in place now, where the former state lies, and what was added again."""

    source: Path
    set_aside: Path | None
    readmitted: int


async def restore(
    path: Path, settings: Settings, clock: Clock, name: str | None = None
) -> Restored:
    """Put the snapshot called `name` (else the newest good one) in the place of the state.

    The former state is set aside, never deleted; then the library is read again, and everybody
    signs in anew. Raises `Busy`
    while another process owns the home, `NotFound` when there is no such good snapshot.
    """
    home = home_of(path, settings)
    with lock.owned(home.state / "lock"):
        snapshot, aside = await asyncio.to_thread(_swap, home, clock.now(), name)
    async with open_core(path, settings, clock, Mode.CHANGE) as core:
        at = timestamp(core.clock.now())
        await core.db.write(_told, core.household(Surface.CLI), snapshot.path.name, at)
        found = await rescan.rescan(core.db, core.clock, core.home, core.owner_id)
    return Restored(snapshot.path, aside, found.admitted)


def _told(con: sqlite3.Connection, actor: Actor, name: str, at: str) -> None:
    sessions.end_everybody(con, "restored", at)
    audit.record(con, actor, "state.restored", "state", None, {"snapshot": name}, at)


def _swap(home: Home, at: datetime, name: str | None) -> tuple[Snapshot, Path | None]:
    listed = snapshots.listing(home.database)
    wanted = [s for s in listed if name in (None, s.path.name) and snapshots.is_good(s)]
    if not wanted:
        raise NotFound(
            "There is no such good snapshot; nothing was changed.",
            path=home.state / snapshots.FOLDER,
            hint="darkroom backup list shows what there is.",
        )
    move = functools.partial(move_own, home.state)
    aside = snapshots.set_aside(home.database, at, move)
    snapshots.put_in_place(wanted[0], home.database, move)
    return wanted[0], aside
