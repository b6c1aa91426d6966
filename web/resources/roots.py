"""Roots: the folders that are watched, and a person's word about what vanished from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.model import RootKind, Take
from pipeline.service import roots
from pipeline.service.roots import WatchedRoot
from web.contract import API, Answer, Asked, Given, Resource, Taken

RESOURCE = Resource("roots", "The folders Darkroom watches.")
Kind = Literal["managed", "foreign"]
How = Literal["move", "copy", "index"]


class RootView(Given):
    """One folder; `state` is online, offline or asking, `reason` says why.

    `source`: Darkroom's own, named in the settings, chosen here, or taken from once by a run and
    not watched. Only chosen ones can be changed or left here.
    """

    id: str
    path: str
    kind: str
    take: str
    state: str
    reason: str | None
    source: Literal["own", "settings", "chosen", "once"]


class RootList(Given):
    """All folders, oldest first."""

    items: list[RootView]


class RootTaken(Taken):
    """A folder of the server, by its whole path. foreign: Darkroom never writes there."""

    path: Annotated[str, Field(min_length=1, max_length=4_000, pattern="^/[^\\x00]*$")]
    kind: Kind = "foreign"
    take: How = "copy"


class RootChange(Taken):
    """What is done with files that appear there from now on."""

    kind: Kind | None = None
    take: How | None = None


class Confirmed(Given):
    """So many files are marked as missing now; nothing was deleted."""

    missing: int


@RESOURCE.get("/roots", right=Right.STATUS_READ, gives=RootList)
async def listing(asked: Asked) -> RootList:
    """The folders that are watched, and those that files were taken from."""
    return RootList(items=list(map(_view, await roots.listing(asked.actor, asked.core))))


@RESOURCE.post(
    "/roots", right=Right.ROOTS_WRITE, takes=RootTaken, gives=RootView, status=201, errors=(409,)
)
async def choose(asked: Asked, body: RootTaken) -> Answer:
    """Have a folder of the server watched, at once and after every start."""
    found = await roots.choose(
        asked.actor, asked.core, Path(body.path), kind=RootKind(body.kind), take=Take(body.take)
    )
    return Answer(_view(found), headers={"Location": f"{API}/roots/{found.root.id}"})


@RESOURCE.get("/roots/<root_id>", right=Right.STATUS_READ, gives=RootView)
async def show(asked: Asked, root_id: str) -> RootView:
    """One folder."""
    return _view(await roots.one(asked.actor, asked.core, root_id))


@RESOURCE.patch(
    "/roots/<root_id>", right=Right.ROOTS_WRITE, takes=RootChange, gives=RootView, errors=(409,)
)
async def change(asked: Asked, root_id: str, body: RootChange) -> RootView:
    """Treat a chosen folder otherwise; what was taken in stays as it is."""
    kind = None if body.kind is None else RootKind(body.kind)
    take = None if body.take is None else Take(body.take)
    return _view(await roots.change(asked.actor, asked.core, root_id, kind=kind, take=take))


@RESOURCE.delete("/roots/<root_id>", right=Right.ROOTS_WRITE, errors=(409,))
async def leave(asked: Asked, root_id: str) -> None:
    """Watch a chosen folder no more. Nothing in it, and nothing taken from it, is touched."""
    await roots.leave(asked.actor, asked.core, root_id)


@RESOURCE.post("/roots/<root_id>/look", right=Right.ROOTS_WRITE, gives=RootView)
async def look(asked: Asked, root_id: str) -> RootView:
    """Look at a folder now: is it there, and is it the one we know?"""
    return _view(await roots.look(asked.actor, asked.core, root_id))


@RESOURCE.post(
    "/roots/<root_id>/scan", right=Right.ROOTS_WRITE, gives=RootView, status=202, errors=(409,)
)
async def scan(asked: Asked, root_id: str) -> RootView:
    """Search a watched folder for new files now; what is found comes as `file.found` events."""
    return _view(await roots.scan(asked.actor, asked.core, root_id))


@RESOURCE.post("/roots/<root_id>/confirm", right=Right.ROOTS_WRITE, gives=Confirmed)
async def confirm(asked: Asked, root_id: str) -> Confirmed:
    """Say that what is missing from a folder was really removed. Nothing is deleted by that."""
    return Confirmed(missing=await roots.confirm(asked.actor, asked.core, root_id))


def _view(found: WatchedRoot) -> RootView:
    return RootView(
        id=found.root.id,
        path=found.path,
        kind=found.root.kind,
        take=found.root.take,
        state=found.state,
        reason=found.reason,
        source=found.source,
    )
