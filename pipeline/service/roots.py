"""The watched folders: how they are, choosing more, and a person's word about what vanished.

Three kinds are watched: Darkroom's own, those the settings name, and those chosen here. Folders
that were only taken from once are listed as well, so that what came from them can be told.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.access.rights import Right, require
from pipeline.errors import Conflict, NotFound
from pipeline.events import RootChosen, RootLeft
from pipeline.intake import roots
from pipeline.intake.roots import Wanted
from pipeline.model import Actor, JsonObject, Root, RootKind, Take
from pipeline.service.audit import by
from pipeline.state import audit, chosen_roots
from pipeline.state import roots as stored
from pipeline.state.audit import By

if TYPE_CHECKING:
    from pipeline.core import Core

Source = Literal["own", "settings", "chosen", "once"]
_OWN = (RootKind.LIBRARY, RootKind.INBOX)


@dataclass(frozen=True, slots=True)
class WatchedRoot:
    """A root with what is known of it; `once`: taken from by a run, and not watched."""

    root: Root
    state: str
    reason: str | None
    source: Source

    @property
    def path(self) -> str:
        """The folder for people: what no text can hold is shown as such."""
        return os.fsencode(self.root.path).decode("utf-8", "replace")


async def listing(actor: Actor, core: Core) -> list[WatchedRoot]:
    """The roots of this owner, oldest first."""
    found = await core.db.read(stored.listing)
    chosen = {one.root.id for one in await core.db.read(chosen_roots.listing)}
    told = await asyncio.to_thread(_told_by_settings, core)
    return [
        WatchedRoot(one.root, one.state, one.reason, _source(one.root, chosen, told))
        for one in found
        if one.root.owner_id == actor.library_id
    ]


async def one(actor: Actor, core: Core, root_id: str) -> WatchedRoot:
    """One root of this owner. Raises `NotFound`."""
    found = [root for root in await listing(actor, core) if root.root.id == root_id]
    if not found:
        raise NotFound("There is no such folder.")
    return found[0]


async def choose(
    actor: Actor, core: Core, path: Path, *, kind: RootKind, take: Take
) -> WatchedRoot:
    """Have another folder watched, from now on and after every start.

    Raises `Invalid` for what is no folder, lies in Darkroom's own or would be moved from although
    it is foreign, `NotAllowed` where a marker cannot be written, `Conflict` for one that is watched
    already.
    """
    require(actor, Right.ROOTS_WRITE)
    watched = {one.root.path for one in await listing(actor, core) if one.source != "once"}
    if await asyncio.to_thread(_resolved, path) in watched:
        raise Conflict("This folder is watched already.", path=path)
    return await _keep(actor, core, path, kind, take, None)


async def change(
    actor: Actor, core: Core, root_id: str, *, kind: RootKind | None, take: Take | None
) -> WatchedRoot:
    """Have a chosen folder treated otherwise; what was taken in stays as it is.

    Raises `NotFound`, `Conflict` for one that was not chosen here, and what `choose` does.
    """
    require(actor, Right.ROOTS_WRITE)
    now = await _chosen(actor, core, root_id)
    kind, take = kind or now.root.kind, take or now.root.take
    if kind is RootKind.FOREIGN and now.root.kind is not kind:
        raise Conflict(
            "Darkroom has written its marker into this folder; it stays managed.",
            hint="With take=copy nothing in it is touched.",
        )
    return await _keep(actor, core, now.root.path, kind, take, now.root)


async def leave(actor: Actor, core: Core, root_id: str) -> None:
    """Have a chosen folder watched no more. Nothing in it, and nothing taken from it, is touched.

    Raises `NotFound`, and `Conflict` for one that was not chosen here.
    """
    require(actor, Right.ROOTS_WRITE)
    now, who = await _chosen(actor, core, root_id), by(actor, core)

    def write(con: sqlite3.Connection) -> None:
        if chosen_roots.leave(con, root_id):
            audit.tell(con, who, RootLeft(root_id, now.path), before=_told(now.root))

    await core.db.write(write)
    core.posts.end(root_id)


async def look(actor: Actor, core: Core, root_id: str) -> WatchedRoot:
    """Look at a root now: is it there, and is it the folder we know? Raises `NotFound`."""
    await one(actor, core, root_id)
    await roots.check(core.db, core.clock, root_id, actor=actor.label)
    return await one(actor, core, root_id)


async def scan(actor: Actor, core: Core, root_id: str) -> WatchedRoot:
    """Have a root searched for new files soon, not only when its time has come.

    Raises `NotFound`, and `Conflict` where nobody watches it.
    """
    found = await look(actor, core, root_id)
    if not core.posts.look(root_id):
        raise Conflict("Nobody watches this folder now.", hint="darkroom process takes it in once.")
    return found


async def confirm(actor: Actor, core: Core, root_id: str) -> int:
    """The files missing from the root were really removed: mark them; how many there are.

    Raises `NotFound`, and `StorageOffline` while the root is not there.
    """
    await one(actor, core, root_id)
    return await roots.confirm(core.db, core.clock, root_id, actor=actor.label)


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _told_by_settings(core: Core) -> set[Path]:
    return {_resolved(told.path) for told in core.settings.roots}


def _source(root: Root, chosen: set[str], told: set[Path]) -> Source:
    if root.kind in _OWN:
        return "own"
    if root.path in told:
        return "settings"
    return "chosen" if root.id in chosen else "once"


async def _chosen(actor: Actor, core: Core, root_id: str) -> WatchedRoot:
    found = await one(actor, core, root_id)
    if found.source != "chosen":
        raise Conflict("This folder was not chosen here.", hint="darkroom.toml may name it.")
    return found


async def _keep(
    actor: Actor, core: Core, path: Path, kind: RootKind, take: Take, before: Root | None
) -> WatchedRoot:
    wanted = Wanted(path, kind, take, actor.library_id)
    root = await roots.ensure(core.db, core.clock, wanted, own=core.own_folders)
    await core.db.write(_choose, by(actor, core), root, before)
    core.posts.begin(root)
    return await one(actor, core, root.id)


def _choose(con: sqlite3.Connection, who: By, root: Root, before: Root | None) -> None:
    stored.change(con, root)
    chosen_roots.choose(con, root.id)
    told = _told(root)
    event = RootChosen(root.id, told["path"], root.kind, root.take)
    audit.tell(con, who, event, before=None if before is None else _told(before), after=told)


def _told(root: Root) -> JsonObject:
    path = os.fsencode(root.path).decode("utf-8", "replace")
    return {"path": path, "kind": str(root.kind), "take": str(root.take)}
