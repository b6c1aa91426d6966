"""A copy in the place of its original, so that at every instant one of them is there, whole.

The copy is placed by the commit protocol, beside the original > the rows exchange what they hold
(1 commit: from now on the file is the copy) > the original goes to the trash, where it stays its
time > the copy takes over its name. Whatever a crash leaves is finished by `resume`; `put_back`
reverses all of it for as long as the original is in the trash.
"""

from __future__ import annotations

import functools
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pipeline.clock import Clock, timestamp
from pipeline.errors import Conflict, DarkroomError, Refused, TryLater
from pipeline.library import names, placing, trash
from pipeline.library.below import Below
from pipeline.library.fsops import Identity
from pipeline.library.planning import Placement, Unit
from pipeline.library.renaming import Kept, Renamed, RenameUnit, Renaming, carry_out
from pipeline.library.trash import Asking
from pipeline.model import FileState, Home, Take
from pipeline.state import placements, replacements, roots
from pipeline.state.connection import Database
from pipeline.state.placements import File
from pipeline.state.replacements import Copy, Unfinished

REASON = "a smaller copy stands for it"


@dataclass(frozen=True, slots=True)
class Replacing:
    """A file of the library, and the copy in the cache that is to stand for it.

    Without a rendition nobody would make the copy again: once it is placed, a start goes on.
    """

    file_id: str
    rendition_id: str | None
    made: Below
    copy: Copy
    extension: str  # with its dot


async def replace_file(
    db: Database, clock: Clock, home: Home, wanted: Replacing, asking: Asking, *, days: int
) -> str:
    """Put the copy in the file's place; the path it has then, below the library.

    The caller has made sure that the copy may stand for the original. Raises `Conflict` when the
    file is not in the library any more, and what placing raises; the original is whole then.
    """
    (file,) = await db.read(placements.by_ids, [wanted.file_id])
    if file.state is not FileState.DONE or file.path is None:
        raise Conflict("It is not in the library now; it is left as it is.")
    if wanted.rendition_id is None:
        copy_id = await db.write(
            replacements.begin, file.id, wanted.copy, clock, asking.job, asking.actor
        )
    else:
        copy_id = await db.write(replacements.row_for, file.id, wanted.copy, clock)
    try:
        await _place(db, clock, home, file, copy_id, wanted)
    except DarkroomError:
        if wanted.rendition_id is None:
            await db.write(replacements.give_up, file.id, copy_id, timestamp(clock.now()))
        raise
    await _exchange(db, clock, file.id, copy_id, wanted.rendition_id, asking)
    await _finish(db, clock, home, _Pair(file.id, copy_id, file.path), asking, days)
    (after,) = await db.read(placements.by_ids, [file.id])
    return after.path or ""


async def resume(db: Database, clock: Clock, home: Home, *, days: int) -> int:
    """Bring to its end whatever a crash came into the middle of; how many there were.

    What cannot be finished now, because a disk is away, stays for the next start.
    """
    finished = 0
    for one in await db.read(replacements.unfinished):
        asking = Asking(one.owner_id, one.actor, job=one.job_id, reason=REASON)
        with suppress(Refused, TryLater):
            await _resume(db, clock, home, one, asking, days)
            finished += 1
    return finished


async def _resume(
    db: Database, clock: Clock, home: Home, one: Unfinished, asking: Asking, days: int
) -> None:
    pair = _Pair(one.file_id, one.other_id, one.freed)
    if not one.is_exchanged:
        file, copy = await _rows(db, pair)
        if copy.state is not FileState.DONE:
            await db.write(replacements.give_up, file.id, copy.id, timestamp(clock.now()))
            return
        if file.state is FileState.DONE and file.path is not None:
            await _exchange(db, clock, file.id, copy.id, None, asking)
            pair = _Pair(file.id, copy.id, file.path)
    await _finish(db, clock, home, pair, asking, days)


async def put_back(
    db: Database, clock: Clock, home: Home, file_id: str, original_id: str, asking: Asking
) -> list[Renamed | Kept]:
    """The file is its original again, under its name; the copy goes to the trash.

    `asking.undoes` names the journal entry. What cannot be done leaves the copy in its place.
    """
    entry_id = (asking.undoes or {})[file_id]
    quietly = replace(asking, undoes=None, job=None)
    (original,) = await db.read(placements.by_ids, [original_id])
    if original.state is FileState.TRASHED:
        results = await trash.restore(db, clock, home, [original_id], quietly)
        if any(isinstance(one, Kept) for one in results):
            return [Kept(file_id, one.error) for one in results if isinstance(one, Kept)]
    elif original.state is not FileState.DONE:
        gone = Conflict(f"Its original is not there any more: it is {original.state}.")
        return [Kept(file_id, gone)]
    back = functools.partial(
        replacements.exchange_back,
        entry_id=entry_id,
        actor=asking.actor,
        at=timestamp(clock.now()),
    )
    (before,) = await db.read(placements.by_ids, [file_id])
    await db.write(back, file_id, original_id)
    # From here on `original_id` is the row of the copy.
    pair = _Pair(file_id, original_id, before.path or "")
    await _finish(db, clock, home, pair, quietly, trash.DAYS)
    (after,) = await db.read(placements.by_ids, [file_id])
    return [Renamed(file_id, after.path or "")]


async def _place(
    db: Database, clock: Clock, home: Home, file: File, copy_id: str, wanted: Replacing
) -> None:
    """The copy's row becomes `done`, unless an interrupted attempt has placed it already."""
    (row,) = await db.read(placements.by_ids, [copy_id])
    if row.state is not FileState.STUDIED:
        return
    library = next(
        one.root for one in await db.read(roots.listing) if one.root.path == home.library.resolve()
    )
    beside = str(PurePosixPath(file.path or "").with_suffix(wanted.extension))
    (target,) = names.around([beside])
    placement = Placement(
        file_id=copy_id,
        source=wanted.made,
        root=library,
        identity=Identity(wanted.copy.size, wanted.copy.mtime_ns, wanted.copy.inode),
        sha256=wanted.copy.sha256,
        target=target,
        take=Take.COPY,
    )
    for result in await placing.commit(db, clock, home, [Unit((placement,))]):
        if isinstance(result, placing.Failed):
            raise result.error


@dataclass(frozen=True, slots=True)
class _Pair:
    """A file, the row that no longer stands for it, and the path that row frees."""

    file_id: str
    other_id: str
    freed: str


async def _rows(db: Database, pair: _Pair) -> tuple[File, File]:
    found = {one.id: one for one in await db.read(placements.by_ids, [pair.file_id, pair.other_id])}
    return found[pair.file_id], found[pair.other_id]


async def _exchange(
    db: Database,
    clock: Clock,
    file_id: str,
    copy_id: str,
    rendition_id: str | None,
    asking: Asking,
) -> None:
    exchange = functools.partial(
        replacements.exchange,
        rendition_id=rendition_id,
        job_id=asking.job,
        actor=asking.actor,
        at=timestamp(clock.now()),
    )
    await db.write(exchange, file_id, copy_id)


async def _finish(
    db: Database, clock: Clock, home: Home, pair: _Pair, asking: Asking, days: int
) -> None:
    """The row that no longer stands for the file goes to the trash, and the file gets its name."""
    quietly = replace(asking, job=None, undoes=None, reason=asking.reason or REASON)
    _, other = await _rows(db, pair)
    if other.state is FileState.DONE:
        for one in await trash.put(db, clock, home, [other.id], quietly, days=days):
            if isinstance(one, Kept):
                raise one.error
    await _take_name(db, clock, home, pair.file_id, pair.freed, quietly)
    await db.write(replacements.finish, pair.file_id)


async def _take_name(
    db: Database, clock: Clock, home: Home, file_id: str, freed: str, asking: Asking
) -> None:
    """Where the copy only got a number because the original was there, it loses it now."""
    (file,) = await db.read(placements.by_ids, [file_id])
    path = file.path or ""
    if file.state is not FileState.DONE:
        return
    if not freed or PurePosixPath(path).suffix != PurePosixPath(freed).suffix or path == freed:
        return
    (target,) = names.around([freed])
    unit = RenameUnit("move", (Renaming(file_id, path, target, asking.details(file_id)),))
    await carry_out(db, clock, home, [unit])
