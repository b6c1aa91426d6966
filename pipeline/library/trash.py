"""The trash: where a person puts files, from where they come back, and how it is emptied.

Nothing but a person fills it, and nothing else than what a person put there, over its time or
confirmed by name, is ever purged. Bundles go and come back as one. Nothing in a foreign folder can
get here: only files of the library have a name to be trashed by.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import (
    Conflict,
    DarkroomError,
    IntegrityBroken,
    NotFound,
    Refused,
    StorageOffline,
)
from pipeline.library import fsops, names
from pipeline.library.below import Below
from pipeline.library.renaming import Kept, Renamed, RenameUnit, Renaming, carry_out
from pipeline.model import FileState, Home
from pipeline.state import renames
from pipeline.state import trash as stored
from pipeline.state.connection import Database
from pipeline.state.renames import Member
from pipeline.state.trash import Entry

DAYS = 30
_PURGE_BATCH = 32


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, as part of which job (for undo), and why."""

    owner_id: str  # whose files
    actor: str
    job: str | None = None
    reason: str = ""
    by_person: bool = True
    undoes: dict[str, str] | None = None  # by file, the journal entry that this reverses

    def details(self, file_id: str) -> dict[str, str | bool | None]:
        """What is recorded with every rename."""
        undoes = (self.undoes or {}).get(file_id)
        return {"actor": self.actor, "job": self.job, "reason": self.reason, "undoes": undoes}


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """Exactly what a purge would delete. `confirmed` also covers what could still come back."""

    owner_id: str
    entries: tuple[Entry, ...]
    confirmed: bool

    @property
    def bytes(self) -> int:
        """How much room it would free."""
        return sum(entry.size for entry in self.entries)


# --- in and out --------------------------------------------------------------------------------


async def put(
    db: Database,
    clock: Clock,
    home: Home,
    file_ids: Sequence[str],
    asking: Asking,
    *,
    days: int = DAYS,
) -> list[Renamed | Kept]:
    """Trash files of the library, each with all that belongs to it; one result per file.

    Raises NotFound for an id that is not the owner's, Refused for one that is not in the library.
    """
    return await carry_out(db, clock, home, await plan_put(db, clock, file_ids, asking, days=days))


async def plan_put(
    db: Database, clock: Clock, file_ids: Sequence[str], asking: Asking, *, days: int = DAYS
) -> list[RenameUnit]:
    """What `put` would do. Raises as it does."""
    members = await _members(db, file_ids, asking.owner_id)
    _refuse_unless(FileState.DONE, file_ids, members)
    now = clock.now()
    purge_after = timestamp(now + timedelta(days=days))

    def unit(bundle: Sequence[Member]) -> RenameUnit:
        folder = new_id(now)
        paths = [f"{folder}/{(one.path or '').rpartition('/')[2]}" for one in bundle]
        details = {"by_person": asking.by_person, "purge_after": purge_after}
        return RenameUnit(
            "trash",
            tuple(
                Renaming(
                    one.id,
                    one.path or "",
                    target,
                    {**asking.details(one.id), **details, "trash_id": new_id(now)},
                )
                for one, target in zip(bundle, names.around(paths), strict=True)
            ),
        )

    return [unit(bundle) for bundle in _bundles(members.values(), FileState.DONE)]


async def restore(
    db: Database, clock: Clock, home: Home, file_ids: Sequence[str], asking: Asking
) -> list[Renamed | Kept]:
    """Bring trashed files back, each with all that was trashed with it, to where they were.

    A name that is taken by now gets a number, alike for the whole bundle. Raises as `put`.
    """
    members = await _members(db, file_ids, asking.owner_id)
    _refuse_unless(FileState.TRASHED, file_ids, members)
    units = [
        RenameUnit(
            "restore",
            tuple(
                Renaming(one.id, one.trash_path or "", target, asking.details(one.id))
                for one, target in zip(
                    bundle, names.around([one.origin_path or "" for one in bundle]), strict=True
                )
            ),
        )
        for bundle in _bundles(members.values(), FileState.TRASHED)
    ]
    return await carry_out(db, clock, home, units)


async def listing(db: Database, owner_id: str) -> list[Entry]:
    """The owner's trash, newest first."""
    return await db.read(stored.listing, owner_id)


# --- purging -----------------------------------------------------------------------------------


async def plan_purge(
    db: Database, clock: Clock, owner_id: str, *, everything: bool = False
) -> PurgePlan:
    """What is over its time, or `everything` a person trashed. Deletes nothing."""
    due = None if everything else timestamp(clock.now())
    entries = await db.read(functools.partial(stored.purgeable, due=due), owner_id)
    return PurgePlan(owner_id, tuple(entries), everything)


async def purge(
    db: Database, clock: Clock, home: Home, plan: PurgePlan, *, actor: str
) -> tuple[list[Entry], list[Kept]]:
    """Delete for good exactly what the plan lists and is still so; what went, what was kept.

    A file is deleted only if its row still says that a person put it there and that its time is
    over (or the plan was confirmed), and if its bytes are those of the row.
    """
    gone: list[Entry] = []
    kept: list[Kept] = []
    for start in range(0, len(plan.entries), _PURGE_BATCH):
        wanted = plan.entries[start : start + _PURGE_BATCH]
        due = None if plan.confirmed else timestamp(clock.now())
        allowed = functools.partial(stored.purgeable, due=due, ids=[entry.id for entry in wanted])
        still = await db.read(allowed, plan.owner_id)
        errors = await asyncio.to_thread(_delete_all, home, still)
        done = [entry for entry, error in zip(still, errors, strict=True) if error is None]
        await db.write(stored.purged, done, timestamp(clock.now()), actor=actor)
        gone += done
        kept += [Kept(e.file_id, x) for e, x in zip(still, errors, strict=True) if x is not None]
        kept += [Kept(e.file_id, _no_longer(e)) for e in wanted if e not in still]
    return gone, kept


def _delete_all(home: Home, entries: Sequence[Entry]) -> list[DarkroomError | None]:
    errors = [_delete(home, entry) for entry in entries]
    for entry in entries:
        fsops.drop_empty_folders(home.trash, entry.trash_path.rpartition("/")[0])
    return errors


def _delete(home: Home, entry: Entry) -> DarkroomError | None:
    place = Below(home.trash, entry.trash_path)
    try:
        if fsops.look(place) is None:
            return None if home.trash.is_dir() else _away(home)
        digest, _ = fsops.hash_file(place)
        if digest != entry.sha256:
            return IntegrityBroken(
                "This is not the file that was put into the trash; it is left alone.",
                path=place.path,
            )
        fsops.purge_file(home, entry.trash_path)
    except DarkroomError as error:
        return error
    return None


def _away(home: Home) -> DarkroomError:
    return StorageOffline("The trash folder is not there.", path=home.trash)


def _no_longer(entry: Entry) -> DarkroomError:
    return Conflict(
        "It is no longer in the trash, or its time is not over.", path=Path(entry.origin_path)
    )


# --- who goes together -------------------------------------------------------------------------


async def _members(db: Database, file_ids: Sequence[str], owner_id: str) -> dict[str, Member]:
    found = await db.read(renames.with_bundles, file_ids, owner_id)
    return {member.id: member for member in found}


def _refuse_unless(state: FileState, file_ids: Iterable[str], members: dict[str, Member]) -> None:
    for file_id in file_ids:
        member = members.get(file_id)
        if member is None:
            raise NotFound(f"There is no file {file_id}.")
        if member.state is not state or (state is FileState.DONE and member.path is None):
            where = "in the trash" if state is FileState.TRASHED else "in the library"
            raise Refused(f"The file {file_id} is not {where}; nothing was done.")


def _bundles(members: Iterable[Member], state: FileState) -> Iterator[list[Member]]:
    """The members that are in `state`, bundle by bundle."""

    def bundle(member: Member) -> str:
        return member.bundle_id or member.id

    fitting = [
        one
        for one in members
        if one.state is state and (one.path is not None or state is FileState.TRASHED)
    ]
    for _, group in groupby(sorted(fitting, key=lambda one: (bundle(one), one.id)), key=bundle):
        yield list(group)
