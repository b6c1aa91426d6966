"""Roots: the folders that are watched, and a person's word about what vanished from them."""

from __future__ import annotations

import os

from pipeline.access.rights import Right
from pipeline.service import roots
from pipeline.state.roots import StoredRoot
from web.contract import Asked, Given, Resource

RESOURCE = Resource("roots", "The folders Darkroom watches. New ones are named in the settings.")


class RootView(Given):
    """One folder; `state` is online, offline or asking, `reason` says why."""

    id: str
    path: str
    kind: str
    take: str
    state: str
    reason: str | None


class RootList(Given):
    """All folders, oldest first."""

    items: list[RootView]


class Confirmed(Given):
    """So many files are marked as missing now; nothing was deleted."""

    missing: int


@RESOURCE.get("/roots", right=Right.STATUS_READ, gives=RootList)
async def listing(asked: Asked) -> RootList:
    """The folders that are watched."""
    return RootList(items=list(map(_view, await roots.listing(asked.actor, asked.core))))


@RESOURCE.get("/roots/<root_id>", right=Right.STATUS_READ, gives=RootView)
async def show(asked: Asked, root_id: str) -> RootView:
    """One folder."""
    return _view(await roots.one(asked.actor, asked.core, root_id))


@RESOURCE.post("/roots/<root_id>/look", right=Right.ROOTS_WRITE, gives=RootView)
async def look(asked: Asked, root_id: str) -> RootView:
    """Look at a folder now: is it there, and is it the one we know?"""
    return _view(await roots.look(asked.actor, asked.core, root_id))


@RESOURCE.post("/roots/<root_id>/confirm", right=Right.ROOTS_WRITE, gives=Confirmed)
async def confirm(asked: Asked, root_id: str) -> Confirmed:
    """Say that what is missing from a folder was really removed. Nothing is deleted by that."""
    return Confirmed(missing=await roots.confirm(asked.actor, asked.core, root_id))


def _view(stored: StoredRoot) -> RootView:
    root = stored.root
    path = os.fsencode(root.path).decode("utf-8", "replace")
    return RootView(
        id=root.id,
        path=path,
        kind=root.kind,
        take=root.take,
        state=stored.state,
        reason=stored.reason,
    )
