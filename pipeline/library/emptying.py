"""Duplicates leave the inbox: what the library holds already is proved there and then let go of.

Only files of the inbox are touched. A folder that a run moved from keeps its duplicates: nothing
was placed for them, and undoing the run could not bring them back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

from pipeline.clock import Clock, timestamp
from pipeline.errors import DarkroomError
from pipeline.events import FileReleased
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.model import Home
from pipeline.state import events, placements
from pipeline.state.connection import Database
from pipeline.state.placements import File

ACTOR = "library"


async def release_duplicates(db: Database, clock: Clock, home: Home) -> int:
    """Let go of the duplicates in the inbox whose twin lies whole in the library; how many."""
    files = await db.read(placements.duplicates_in_inbox)
    released = await asyncio.to_thread(_release_all, home, files)
    if released:
        await db.write(_tell, released, timestamp(clock.now()))
    return len(released)


def _release_all(home: Home, files: Sequence[File]) -> list[str]:
    return [file.id for file in files if _release(home, file)]


def _release(home: Home, file: File) -> bool:
    """False where it cannot be proved now: the file stays, and is looked at again later."""
    source = Below(file.root.path, file.source)
    try:
        if not file.root.path.is_dir():
            return False  # its disk is away
        if fsops.look(source) is not None:
            twin = Below(home.library, file.twin_path or "")
            verified = fsops.prove_copy(source, twin, sha256=file.sha256 or "")
            fsops.release_source(verified, file.root)
            fsops.fsync_folders(file.root.path, [source.folder], ancestors=False)
    except DarkroomError:
        return False
    return True


def _tell(con: sqlite3.Connection, file_ids: Sequence[str], at: str) -> None:
    for file_id in file_ids:
        events.append(con, FileReleased(file_id), actor=ACTOR, at=at)
