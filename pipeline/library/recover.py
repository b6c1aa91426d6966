"""What a crash or a power cut left half-done is finished or taken back, before anything else runs.

Staging is emptied; `placing` rows whose file lies in the library become `placed`, the others go
back to `studied`; sources of `placed` files are released; pending renames are finished. Safe to run
again at any time when nothing is being placed, and after any storage failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from pipeline.clock import Clock, timestamp
from pipeline.errors import BadMedia, DarkroomError, IntegrityBroken, StorageOffline
from pipeline.intake import roots
from pipeline.library import fsops, renaming
from pipeline.library.below import Below
from pipeline.library.placing import Release, release
from pipeline.model import FileState, Home, Take
from pipeline.state import placements
from pipeline.state import roots as stored_roots
from pipeline.state.connection import Database
from pipeline.state.placements import File, Settled

ACTOR = "recover"
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found. `offline` says why nothing could be done yet; call again when it is back."""

    placed: int = 0
    taken_back: int = 0
    released: int = 0
    renamed: int = 0
    offline: StorageOffline | None = None


async def settle(db: Database, clock: Clock, home: Home) -> Recovered:
    """Put everything right. With the library's disk away nothing is touched, and that is told."""
    try:
        await _require_library(db, clock, home)
        await asyncio.to_thread(_prepare, home)
    except StorageOffline as error:
        return Recovered(offline=error)
    placed = taken_back = released = 0
    async for page in _pages(db, FileState.PLACING):
        whole, gone = await asyncio.to_thread(_sort_placing, home, page)
        await db.write(placements.placed, whole, clock, actor=ACTOR)
        await db.write(placements.withdraw, gone, timestamp(clock.now()))
        placed, taken_back = placed + len(whole), taken_back + len(gone)
    async for page in _pages(db, FileState.PLACED):
        released += await _release(db, clock, home, page)
    renamed = await renaming.resume(db, clock, home)
    return Recovered(placed, taken_back, released, renamed)


async def _require_library(db: Database, clock: Clock, home: Home) -> None:
    library = await asyncio.to_thread(home.library.resolve)
    stored = await db.read(stored_roots.by_path, library)
    if stored is not None:
        await roots.require_online(db, clock, stored.root.id)


def _prepare(home: Home) -> None:
    """Empty staging. It is made here alone, so that nothing is ever copied into a bare mount."""
    fsops.sweep_staging(home.staging)


async def _pages(db: Database, state: FileState) -> AsyncIterator[list[File]]:
    after = ""
    while page := await db.read(placements.in_state, state, after, _PAGE):
        yield page
        after = page[-1].id


# --- placing -----------------------------------------------------------------------------------


def _sort_placing(home: Home, page: Sequence[File]) -> tuple[list[Settled], list[str]]:
    """Files that lie whole in the library, lasting from now on; and those that do not."""
    whole: list[Settled] = []
    gone: list[str] = []
    for file in page:
        try:
            is_whole = _lies_there(home, file)
        except DarkroomError:
            continue  # not to be told now: it stays `placing` until the next time
        if is_whole:
            whole.append(_settled(file))
        else:
            gone.append(file.id)
    return whole, gone


def _lies_there(home: Home, file: File) -> bool:
    place = Below(home.library, file.path or "")
    if fsops.look(place) is None:
        return False
    try:
        digest, _ = fsops.hash_file(place)
    except BadMedia:  # written to by somebody: not our copy
        return False
    if digest != file.sha256:
        fsops.remove_placeholder(place)
        return False
    fsops.prove_copy(Below(file.root.path, file.source), place, sha256=digest)  # and synced
    fsops.fsync_folders(home.library, [place.folder])
    return True


# --- placed ------------------------------------------------------------------------------------


async def _release(db: Database, clock: Clock, home: Home, page: Sequence[File]) -> int:
    """Release the sources of moved files against a fresh proof; how many are done now."""
    proofs = await asyncio.to_thread(_prove_all, home, page)
    releases = [proof for proof in proofs if isinstance(proof, Release)]
    over = [proof for proof in proofs if isinstance(proof, Settled)]
    anew = [proof for proof in proofs if isinstance(proof, str)]
    at = timestamp(clock.now())
    await db.write(placements.unplace, anew, at)
    await db.write(placements.done, over, at, actor=ACTOR)
    kept = await release(db, clock, releases, actor=ACTOR)
    return len(over) + len(releases) - len(kept)


def _prove_all(home: Home, page: Sequence[File]) -> list[Release | Settled | str | None]:
    return [_prove(home, file) for file in page]


def _prove(home: Home, file: File) -> Release | Settled | str | None:
    """What is to become of a placed file: released, done, placed anew (its id), or nothing now."""
    if file.take is not Take.MOVE:
        return _settled(file)
    source, copy = Below(file.root.path, file.source), Below(home.library, file.path or "")
    try:
        if not file.root.path.is_dir():
            return None  # its disk is away
        if fsops.look(source) is None:
            return replace(_settled(file), is_released=True)
        if fsops.look(copy) is None:
            return file.id
        return Release(
            _settled(file), fsops.prove_copy(source, copy, sha256=file.sha256 or ""), file.root
        )
    except IntegrityBroken:
        return file.id
    except DarkroomError:
        return None


def _settled(file: File) -> Settled:
    before = {"root": file.root.id, "take": file.take}
    return Settled(file.id, file.path or "", file.sha256 or "", before)
