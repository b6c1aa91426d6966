"""Undoing a whole run from its journal: the opposite of everything it did, newest first.

Placed files go to the trash, never away; where a source had been moved, it is first put back by a
verified copy. Moves go back, trashed files are restored, restored ones trashed; tags, edits and
decisions are as they were. Undoing again does the rest of what could not be done before, and
nothing twice.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pipeline.clock import Clock, timestamp
from pipeline.errors import Conflict, DarkroomError, IntegrityBroken, NotAllowed, NotFound
from pipeline.library import fsops, moving, replacing, trash
from pipeline.library.below import Below
from pipeline.library.renaming import Kept, Renamed
from pipeline.library.trash import Asking
from pipeline.model import FileState, Home, RootKind, Take
from pipeline.state import (
    album_journal,
    bundle_journal,
    decisions,
    edits,
    placements,
    sidecars,
    tags,
)
from pipeline.state import journal as stored
from pipeline.state.connection import Database
from pipeline.state.journal import Entry
from pipeline.state.placements import File

REASON = "undone"
_REVERT = {
    "retag": tags.revert,
    "edit": edits.revert,
    "decide": decisions.revert,
    "album": album_journal.revert,
    "bundle": bundle_journal.revert,
}


@dataclass(frozen=True, slots=True)
class Undone:
    """How many changes were reversed now, and which files were left as they are, and why."""

    reversed: int
    left: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Retold:
    """What is said of the file is what was said before."""

    file_id: str


async def plan(db: Database, job_id: str, owner_id: str) -> list[Entry]:
    """What an undo of the job would reverse. Raises NotFound for a job that is not the owner's."""
    if not await db.read(stored.job_exists, job_id, owner_id):
        raise NotFound(f"There is no job {job_id}.", hint="darkroom jobs lists them.")
    return await db.read(stored.open_entries, job_id, owner_id)


async def undo(
    db: Database, clock: Clock, home: Home, job_id: str, owner_id: str, *, actor: str
) -> Undone:
    """Reverse everything the job did and nobody has undone yet. Raises NotFound as `plan`."""
    entries = await plan(db, job_id, owner_id)
    asking = Asking(owner_id, actor, reason=REASON)
    count, left = 0, list[Kept]()
    for action, group in groupby(entries, key=lambda entry: entry.action):
        results = await _reverse(db, clock, home, action, list(group), asking)
        count += sum(not isinstance(one, Kept) for one in results)
        left += [one for one in results if isinstance(one, Kept)]
    if not left:
        undone = functools.partial(stored.job_undone, actor=actor)
        await db.write(undone, job_id, count, timestamp(clock.now()))
    return Undone(count, tuple(left))


async def _reverse(
    db: Database, clock: Clock, home: Home, action: str, entries: Sequence[Entry], asking: Asking
) -> Sequence[Renamed | Retold | Kept]:
    asking = replace(asking, undoes={entry.file_id: entry.id for entry in entries})
    file_ids = [entry.file_id for entry in entries]
    match action:
        case "place":
            return await _unplace(db, clock, home, entries, asking)
        case "move":
            back = {entry.file_id: str(entry.before["path"]) for entry in entries}
            return await moving.move_to(db, clock, home, back, asking)
        case "trash":
            fitting, left = await _in_state(db, file_ids, FileState.TRASHED)
            return [*left, *await trash.restore(db, clock, home, fitting, asking)]
        case "restore":
            fitting, left = await _in_state(db, file_ids, FileState.DONE)
            return [*left, *await trash.put(db, clock, home, fitting, asking)]
        case "replace":
            put_back = functools.partial(replacing.put_back, db, clock, home)
            ids = [(entry.file_id, str(entry.before["original"])) for entry in entries]
            return [one for file, original in ids for one in await put_back(file, original, asking)]
        case "retag" | "edit" | "decide" | "album" | "bundle":
            await db.write(_REVERT[action], entries, clock, actor=asking.actor)
            return [Retold(file_id) for file_id in file_ids]
        case _:
            error = NotAllowed(f"Nobody knows how to reverse {action!r}.")
            return [Kept(file_id, error) for file_id in file_ids]


async def _in_state(
    db: Database, file_ids: Sequence[str], state: FileState
) -> tuple[list[str], list[Renamed | Kept]]:
    """Files that are still as the job left them; the others are left alone."""
    files = await db.read(placements.by_ids, file_ids)
    error = Conflict("Something else was done to it since; it is left as it is.")
    fitting = [file.id for file in files if file.state is state]
    return fitting, [Kept(file.id, error) for file in files if file.state is not state]


# --- placing -----------------------------------------------------------------------------------


async def _unplace(
    db: Database, clock: Clock, home: Home, entries: Sequence[Entry], asking: Asking
) -> list[Renamed | Kept]:
    """Sources that were moved go back first; then the files in the library go to the trash."""
    fitting, left = await _in_state(db, [entry.file_id for entry in entries], FileState.DONE)
    alone = [entry.file_id for entry in entries if entry.before.get("is_alone")]
    await db.write(sidecars.set_apart, alone, timestamp(clock.now()))
    files = await db.read(placements.by_ids, fitting)
    errors = await asyncio.to_thread(_give_back_all, home, files)
    kept = {f.id: Kept(f.id, e) for f, e in zip(files, errors, strict=True) if e is not None}
    bundles = {file.bundle_id for file in files if file.id in kept and file.bundle_id}
    going = [f.id for f in files if f.id not in kept and f.bundle_id not in bundles]
    waits = Conflict("It stays with a file that could not be put back.")
    together = [Kept(f.id, waits) for f in files if f.id not in kept and f.bundle_id in bundles]
    results = await trash.put(db, clock, home, going, asking)
    return [*left, *kept.values(), *together, *results]


def _give_back_all(home: Home, files: Sequence[File]) -> list[DarkroomError | None]:
    return [_give_back(home, file) if file.take is Take.MOVE else None for file in files]


def _give_back(home: Home, file: File) -> DarkroomError | None:
    """The source where it was, from a verified copy of the library's file, if its place is free."""
    source = Below(file.root.path, file.source)
    try:
        if file.root.kind not in (RootKind.INBOX, RootKind.MANAGED):
            return NotAllowed("Darkroom does not write into this folder.", path=source.path)
        kept = Below(home.library, file.path or "")
        digest, identity = fsops.hash_file(kept)
        if digest != file.sha256:
            return IntegrityBroken("Its bytes in the library have changed.", path=kept.path)
        if fsops.look(source) is not None:
            there, _ = fsops.hash_file(source)
            return None if there == digest else Conflict("Its place is taken.", path=source.path)
        part = f".darkroom-{file.id}"
        staged = Below(file.root.path, f"{source.folder}/{part}" if source.folder else part)
        fsops.make_folders(source.base, source.folder)
        fsops.drop_staged(staged)
        copy = fsops.copy_verified(kept, staged, identity=identity, sha256=digest)
        fsops.link_new(copy, source)
        fsops.drop_staged(staged)
        fsops.fsync_folders(source.base, [source.folder])
    except DarkroomError as error:
        return error
    return None
