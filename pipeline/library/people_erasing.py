"""Erasing to the last byte: the state and its snapshots written anew without what is not wanted.

Rows are cleared before (`state/people_erasing`). What is to go is read from the state each time,
so that an erasing cut short by a crash is finished by doing it again.
"""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path

from pipeline.errors import TryLater
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.model import Home
from pipeline.state import people_erasing, snapshots
from pipeline.state.connection import Database


async def erase(db: Database, home: Home) -> tuple[Path, ...]:
    """Leave no byte of what was cleared; which files could not be written anew.

    These are snapshots that cannot be read, and folders with a damaged state that was set aside.
    Raises `Busy` while another process reads the state, `StorageFull` where there is no room.
    """
    await db.rewrite()
    unwanted = await db.read(people_erasing.unwanted)
    change = functools.partial(people_erasing.erase, unwanted=unwanted)
    remove = functools.partial(_remove, home.state)
    left = await asyncio.to_thread(snapshots.rewrite, home.database, change, remove)
    await db.write(people_erasing.rewritten)
    return (*left, *await asyncio.to_thread(lambda: sorted(home.state.glob("damaged-*"))))


async def finish(db: Database, home: Home) -> None:
    """Finish an erasing that was cut short; what cannot be done now is done at the next start."""
    if await db.read(people_erasing.must_rewrite):
        try:
            await erase(db, home)
        except TryLater:
            return


def _remove(state: Path, path: Path) -> None:
    fsops.remove_own_file(Below(state, str(path.relative_to(state))))
