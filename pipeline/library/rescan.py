"""Rebuilding the state from the library: files that lie there and that no row knows.

Needed after a damaged state was replaced by an older snapshot or a new one. Nothing in the library
is moved, renamed or written: a file whose content is known is put where it was found, any other is
admitted in place and studied like a new one.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.clock import Clock, timestamp
from pipeline.errors import DarkroomError
from pipeline.intake import admit, roots, scan
from pipeline.library import fsops, names
from pipeline.library.below import Below
from pipeline.model import Candidate, Home, Priority, Root, RootKind, Take
from pipeline.state import placements, shelf
from pipeline.state.connection import Database
from pipeline.state.shelf import Lost

ACTOR = "rescan"


@dataclass(frozen=True, slots=True)
class Rescanned:
    """How many files were found again by their content, and how many were admitted anew."""

    found_again: int = 0
    admitted: int = 0


async def rescan(db: Database, clock: Clock, home: Home, owner_id: str) -> Rescanned:
    """Walk the library and make every file in it known. Raises StorageOffline if it is away."""
    wanted = roots.Wanted(home.library, RootKind.LIBRARY, Take.INDEX, owner_id)
    root = await roots.ensure(db, clock, wanted)
    await roots.require_online(db, clock, root.id)
    found_again = admitted = 0
    async for batch in scan.scan(root):
        unknown = await _unknown(db, [seen.candidate for seen in batch.seen])
        fresh: list[Candidate] = []
        for candidate in unknown:
            if await _find_again(db, clock, home, candidate):
                found_again += 1
            else:
                fresh.append(candidate)
        admitted += await _admit(db, clock, root, fresh)
    return Rescanned(found_again, admitted)


async def _unknown(db: Database, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates without a row; a name that is no text cannot be one of ours and is left alone."""
    readable = {c.path: c for c in candidates if _is_text(c.path)}
    return [readable[path] for path in await db.read(shelf.unknown, list(readable))]


async def _find_again(db: Database, clock: Clock, home: Home, candidate: Candidate) -> bool:
    """Is it a content whose row points elsewhere, where nothing lies? Then the row follows it."""
    lost = await db.read(shelf.with_size, candidate.size)
    file = await asyncio.to_thread(_same_content, home, candidate, lost)
    if file is None:
        return False
    key = names.key(candidate.path)
    await db.write(shelf.put, file.id, candidate.path, key, timestamp(clock.now()))
    return True


def _same_content(home: Home, candidate: Candidate, lost: Sequence[Lost]) -> Lost | None:
    absent = [file for file in lost if not _is_there(home, file)]
    if not absent:
        return None
    try:
        digest, _ = fsops.hash_file(Below(home.library, candidate.path))
    except DarkroomError:
        return None
    return next((file for file in absent if file.sha256 == digest), None)


def _is_there(home: Home, file: Lost) -> bool:
    if file.path is not None:
        return fsops.is_taken(Below(home.library, file.path))
    return file.source.exists()


async def _admit(db: Database, clock: Clock, root: Root, fresh: Sequence[Candidate]) -> int:
    """Rows for files that stay where they are: indexed, with the library as their root.

    They are studied before anything else: what is not known yet would be stored a second time.
    """
    if not fresh:
        return 0
    request = admit.Request(replace(root, take=Take.INDEX), ACTOR, Priority.INTERACTIVE)
    admitted = await admit.admit(db, clock, request, fresh)
    file_ids = (*admitted.new, *admitted.known)
    await db.write(_shelve, file_ids, timestamp(clock.now()))
    return len(admitted.new)


def _shelve(con: sqlite3.Connection, file_ids: Sequence[str], at: str) -> None:
    """Rows whose root is the library lie where they were found."""
    for file in placements.by_ids(con, file_ids):
        shelf.put(con, file.id, file.source, names.key(file.source), at)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
