"""From candidates to rows: the moment a file becomes Darkroom's to look after.

One transaction per batch writes the rows, their events, their visit tasks and their bundles, or
nothing. What was admitted before is recognised by path, size and time, and only reported.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import Invalid
from pipeline.events import FileFound
from pipeline.intake import joining
from pipeline.intake.bundles import bucket
from pipeline.model import Candidate, FileState, Priority, Root
from pipeline.state import admission, events, queue
from pipeline.state.admission import BATCH, KnownSource, NewFile
from pipeline.state.connection import Database
from pipeline.state.queue import NewTask

VISIT = "visit"


@dataclass(frozen=True, slots=True)
class Request:
    """What holds for every file of one admission."""

    root: Root  # its `take` is what becomes of the sources
    actor: str
    priority: Priority = Priority.NEW
    job_id: str | None = None
    inodes_are_stable: bool = True  # False on FAT, SMB and the like


@dataclass(frozen=True, slots=True)
class Admitted:
    """Ids of rows: new ones, and those the candidates had already."""

    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    def __add__(self, other: Admitted) -> Admitted:
        return Admitted(self.new + other.new, self.known + other.known)


async def recognise(
    db: Database, request: Request, candidates: Sequence[Candidate]
) -> tuple[tuple[str, ...], list[Candidate]]:
    """Ids of the files that are known and need nothing, and the candidates that are left."""
    known: list[str] = []
    rest: list[Candidate] = []
    for start in range(0, len(candidates), BATCH):
        batch = candidates[start : start + BATCH]
        before = await db.read(admission.known, request.root.id, batch)
        for candidate in batch:
            row = before.get(candidate.path)
            if row is not None and _is_done(row, candidate, request):
                known.append(row.file_id)
            else:
                rest.append(candidate)
    return tuple(known), rest


async def admit(
    db: Database, clock: Clock, request: Request, candidates: Sequence[Candidate]
) -> Admitted:
    """Admit `candidates`, at most 500 per transaction; those known by then are reported as such.

    Raises `Invalid` for a path that is not plainly below the root.
    """
    for candidate in candidates:
        _inside(candidate.path)
    admitted = Admitted()
    for start in range(0, len(candidates), BATCH):
        batch = candidates[start : start + BATCH]
        admitted += await db.write(_admit, clock.now(), request, batch)
    return admitted


def _inside(path: str) -> None:
    if path.startswith("/") or "\0" in path or {"", ".", ".."} & set(path.split("/")):
        raise Invalid("A file outside the folder that was given is not taken.", path=Path(path))


def _admit(
    con: sqlite3.Connection, now: datetime, request: Request, batch: Sequence[Candidate]
) -> Admitted:
    """One transaction; it looks for itself, because another sweep may have come first."""
    at = timestamp(now)
    before = admission.known(con, request.root.id, batch)
    new: list[NewFile] = []
    known: list[str] = []
    waiting: list[str] = []
    for candidate in sorted(batch, key=_shorter_first):
        row = before.get(candidate.path)
        if row is None or not _is_same(row, candidate, request):
            new.append(_new_file(candidate, new_id(now)))
            continue
        known.append(row.file_id)
        if row.state == FileState.FOUND:
            admission.refresh(con, row.file_id, candidate, at)
            waiting.append(row.file_id)
    _add(con, now, request, new)
    _ask_for_visits(con, now, request, [*(file.id for file in new), *waiting])
    return Admitted(tuple(file.id for file in new), tuple(known))


def _add(con: sqlite3.Connection, now: datetime, request: Request, new: Sequence[NewFile]) -> None:
    root, at = request.root, timestamp(now)
    admission.add(con, new, owner_id=root.owner_id, take=root.take, at=at)
    for file in new:
        event = FileFound(file.id, root=root.id, size=file.candidate.size)
        events.append(con, event, actor=request.actor, at=at)
    places = sorted({(file.directory, file.bucket) for file in new})
    joining.join(con, root.id, places, root.owner_id, now)


def _is_done(row: KnownSource, candidate: Candidate, request: Request) -> bool:
    """Is nothing left to ask for? A job asks again for what waits, to make it its own."""
    if not _is_same(row, candidate, request):
        return False
    if row.state != FileState.FOUND:
        return True
    return row.is_asked and row.size == candidate.size and request.job_id is None


def _shorter_first(candidate: Candidate) -> tuple[int, str]:
    """Of equal files the first one visited is kept: "IMG_1.JPG" before "IMG_1 (1).JPG"."""
    return len(candidate.path), candidate.path


def _is_same(row: KnownSource, candidate: Candidate, request: Request) -> bool:
    """Is this the file that the row tells of? One not studied yet is followed as it changes."""
    if row.state == FileState.FOUND:
        return True
    same_inode = row.inode == candidate.inode or not request.inodes_are_stable
    return (row.size, row.mtime_ns) == (candidate.size, candidate.mtime_ns) and same_inode


def _new_file(candidate: Candidate, file_id: str) -> NewFile:
    directory, _, name = candidate.path.rpartition("/")
    return NewFile(file_id, candidate, directory, bucket(name))


def _ask_for_visits(
    con: sqlite3.Connection, now: datetime, request: Request, file_ids: Sequence[str]
) -> None:
    tasks = [
        NewTask(id, request.root.owner_id, VISIT, request.priority, request.job_id)
        for id in file_ids
    ]
    queue.enqueue(con, tasks, now)
