"""Is this folder the one we know? Markers, missing disks, other disks, mass disappearance.

An absent, empty or wrong folder is offline: late, never "all files gone". Where many files vanish
at once nothing is changed until a person confirms. Foreign roots are never written to; they are
recognised by their file system and by files seen there before.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import Invalid, NotAllowed, NotFound, StorageOffline
from pipeline.events import RootAsking, RootOffline, RootOnline
from pipeline.intake import filesystems, markers
from pipeline.model import Root, RootKind, Take
from pipeline.state import events
from pipeline.state import roots as stored_roots
from pipeline.state.connection import Database
from pipeline.state.roots import StoredRoot

_SAMPLE = 16
_AWAY = "The folder is not there; its disk may not be connected."
_EMPTY = "The folder is empty although it was not; its disk may not be mounted."
_UNMARKED = "The folder does not hold its marker; another disk may be mounted there."
_OTHER = "The folder holds the marker of another one; the wrong disk is mounted there."
_STRANGE = "None of the files seen there before is there; another disk may be mounted."
_UNREADABLE = "The folder cannot be read."


@dataclass(frozen=True, slots=True)
class Online:
    """The folder we know; `device` is the file system it is on now."""

    device: str | None = None


@dataclass(frozen=True, slots=True)
class Offline:
    """Absent, empty or another disk: nothing in it counts as gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Too much vanished at once: a person has to confirm, until then nothing changes."""

    reason: str


Health = Online | Offline | Asking


@dataclass(frozen=True, slots=True)
class Wanted:
    """A folder somebody pointed at, and what should become of it."""

    path: Path
    kind: RootKind
    take: Take
    owner_id: str


# --- making roots known ------------------------------------------------------------------------


async def ensure(db: Database, clock: Clock, wanted: Wanted, *, own: Collection[Path] = ()) -> Root:
    """The root at `wanted.path`, made known (and marked, unless foreign) if it was not.

    The answer has the `take` that was asked for; what is stored keeps its own. A root found again
    elsewhere by its marker moves there. Raises `Invalid` if the path is no folder, lies in one of
    `own` (library, trash, state ...), or is foreign and should be moved from.
    """
    path = await asyncio.to_thread(_resolved, wanted.path, own)
    wanted = dataclasses.replace(wanted, path=path)
    stored = await db.read(stored_roots.by_path, path)
    root = await _root(db, clock, wanted, stored)
    if root.kind is RootKind.FOREIGN and wanted.take is Take.MOVE:
        raise Invalid("Nothing is ever moved out of a foreign folder.", path=path)
    if stored is None or root != stored.root:
        device = await asyncio.to_thread(filesystems.identity, path)
        root = await db.write(_keep, root, device, timestamp(clock.now()))
    return dataclasses.replace(root, take=wanted.take)


async def _root(db: Database, clock: Clock, wanted: Wanted, stored: StoredRoot | None) -> Root:
    """What is to be stored. A foreign wish never takes the marker from a root that has one."""
    if stored is not None and (stored.root.marker or wanted.kind is RootKind.FOREIGN):
        return stored.root
    marker = None
    if wanted.kind is not RootKind.FOREIGN:
        marker = await asyncio.to_thread(_mark, wanted.path)
    if stored is not None:  # it was foreign until now
        return dataclasses.replace(stored.root, kind=wanted.kind, take=wanted.take, marker=marker)
    moved = await _moved(db, wanted.path, marker) if marker else None
    return moved or Root(
        new_id(clock.now()), wanted.path, wanted.kind, wanted.take, wanted.owner_id, marker
    )


async def _moved(db: Database, path: Path, marker: str) -> Root | None:
    """The known root that lies at `path` now, told by its marker."""
    elsewhere = await db.read(stored_roots.by_marker, marker)
    if elsewhere is None:
        return None
    if await asyncio.to_thread(markers.read, elsewhere.root.path) == marker:
        raise Invalid(
            f"This folder is a copy of {elsewhere.root.path}, which is in use.",
            path=path,
            hint="Delete the file .darkroom-root in the copy if it is to be used as well.",
        )
    return dataclasses.replace(elsewhere.root, path=path)


def _mark(path: Path) -> str:
    try:
        return markers.write(path)
    except OSError as error:
        raise NotAllowed(
            f"Darkroom cannot write to this folder: {error.strerror}. Nothing was moved.",
            path=path,
            hint="Files can be copied from it, without --move.",
        ) from error


def _resolved(path: Path, own: Collection[Path]) -> Path:
    resolved = Path(os.path.realpath(path))
    if not resolved.is_dir():
        raise Invalid("This is not a folder.", path=path)
    for place in own:
        if resolved.is_relative_to(os.path.realpath(place)):
            raise Invalid("This folder is part of Darkroom itself.", path=path)
    return resolved


def _keep(con: sqlite3.Connection, root: Root, device: str, at: str) -> Root:
    """Store a root; somebody else may have been first."""
    if stored_roots.by_id(con, root.id) is not None:
        stored_roots.change(con, root)
        return root
    before = stored_roots.by_path(con, root.path)
    if before is not None:
        return before.root
    stored_roots.add(con, root, device, at)
    return root


# --- looking -----------------------------------------------------------------------------------


def look(stored: StoredRoot, sample: Sequence[bytes] = ()) -> Online | Offline:
    """Compare the folder on disk with what is known of it. Blocks; reads only.

    `sample` are paths below a foreign root that were there before.
    """
    path = stored.root.path
    try:
        if not path.is_dir():
            return Offline(_AWAY)
        with os.scandir(path) as entries:
            is_empty = next(entries, None) is None
        device = filesystems.identity(path)
    except OSError:
        return Offline(_UNREADABLE)
    if stored.root.marker is not None:
        return _by_marker(stored.root, is_empty, device)
    return _by_sample(stored, sample, is_empty, device)


def _by_marker(root: Root, is_empty: bool, device: str) -> Online | Offline:
    if is_empty:
        return Offline(_EMPTY)
    marker = markers.read(root.path)
    if marker is None:
        return Offline(_UNMARKED)
    return Online(device) if marker == root.marker else Offline(_OTHER)


def _by_sample(
    stored: StoredRoot, sample: Sequence[bytes], is_empty: bool, device: str
) -> Online | Offline:
    if not sample:
        return Online(device)
    if is_empty:
        return Offline(_EMPTY)
    base = os.fsencode(stored.root.path)
    is_known = any(os.path.lexists(os.path.join(base, name)) for name in sample)  # noqa: PTH118
    is_same_disk = device == stored.device
    return Online(device) if is_known or is_same_disk else Offline(_STRANGE)


async def check(db: Database, clock: Clock, root_id: str, *, actor: str = "watch") -> Health:
    """Look at a root, remember how it is, and tell of a change by an event.

    A root that is asking stays so until `confirm` or until its files are back. Raises `NotFound`.
    """
    stored = await stored_root(db, root_id)
    sample = await db.read(stored_roots.sample, root_id, _SAMPLE) if not stored.root.marker else ()
    health = await asyncio.to_thread(look, stored, sample)
    if stored.state == "asking" and isinstance(health, Online):
        return Asking(stored.reason or "")
    await _note(db, clock, stored, health, actor)
    return health


async def require_online(db: Database, clock: Clock, root_id: str) -> Root:
    """The root, if it is the folder we know; new files may go there even while it is asking.

    Raises `StorageOffline` with the reason if it is not.
    """
    health = await check(db, clock, root_id)
    stored = await stored_root(db, root_id)
    if isinstance(health, Offline):
        raise StorageOffline(
            health.reason,
            path=stored.root.path,
            hint="Nothing is lost; Darkroom goes on by itself when it is back.",
            after_s=30,
        )
    return stored.root


async def confirm(db: Database, clock: Clock, root_id: str, *, actor: str) -> int:
    """A person says that the files missing from this root were really removed.

    They are marked as missing, nothing is deleted; returns how many. Raises `StorageOffline` if
    the root is not there just now.
    """
    from pipeline.intake import stock

    stored = await stored_root(db, root_id)
    health = await asyncio.to_thread(look, stored)
    if isinstance(health, Offline):
        raise StorageOffline(health.reason, path=stored.root.path)
    return await stock.mark_missing(db, clock, stored, actor=actor)


async def stored_root(db: Database, root_id: str) -> StoredRoot:
    """The root with what was last found out about it. Raises `NotFound`."""
    stored = await db.read(stored_roots.by_id, root_id)
    if stored is None:
        raise NotFound("There is no such folder.")
    return stored


async def _note(
    db: Database, clock: Clock, stored: StoredRoot, health: Online | Offline, actor: str
) -> None:
    """Write only what changed: a healthy root is looked at often."""
    if isinstance(health, Offline):
        is_news = (stored.state, stored.reason) != ("offline", health.reason)
    else:
        is_news = stored.state != "online" or health.device not in (None, stored.device)
    if is_news:
        await db.write(note, stored, health, timestamp(clock.now()), actor)


def note(
    con: sqlite3.Connection, stored: StoredRoot, health: Online | Offline, at: str, actor: str
) -> None:
    """Store how a root was found, and the event if it went offline or came back."""
    root_id = stored.root.id
    if isinstance(health, Offline):
        stored_roots.note(con, root_id, "offline", reason=health.reason, device=None, at=at)
        if stored.state != "offline":
            events.append(con, RootOffline(root_id, reason=health.reason), actor=actor, at=at)
        return
    stored_roots.note(con, root_id, "online", reason=None, device=health.device, at=at)
    if stored.state != "online":
        events.append(con, RootOnline(root_id), actor=actor, at=at)


def ask(
    con: sqlite3.Connection, stored: StoredRoot, missing: int, known: int, at: str, actor: str
) -> Asking:
    """Stop and ask: too many files are missing. The event is written once."""
    reason = f"{missing} of {known} files are missing at once. Were they really removed?"
    stored_roots.note(con, stored.root.id, "asking", reason=reason, device=None, at=at)
    if stored.state != "asking":
        event = RootAsking(stored.root.id, missing=missing, known=known)
        events.append(con, event, actor=actor, at=at)
    return Asking(reason)
