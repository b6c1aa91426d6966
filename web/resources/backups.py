"""Snapshots of the state: which there are, and one more now."""

from __future__ import annotations

from pipeline.access.rights import Right
from pipeline.clock import timestamp
from pipeline.service import backup
from pipeline.service.backup import Snapshot
from web.contract import API, Answer, Asked, Given, Resource

RESOURCE = Resource("backups", "Snapshots of the state: the map of the library, not its files.")


class BackupView(Given):
    """One snapshot, sealed with its checksum. `label` says who asked for it."""

    name: str
    at: str
    label: str
    bytes: int


class BackupList(Given):
    """The newest first."""

    items: list[BackupView]


@RESOURCE.get("/backups", right=Right.SETTINGS_READ, gives=BackupList)
async def listing(asked: Asked) -> BackupList:
    """The snapshots there are. Going back to one is done by `darkroom restore`."""
    return BackupList(items=list(map(_view, await backup.listing(asked.actor, asked.core))))


@RESOURCE.post("/backups", right=Right.SETTINGS_WRITE, gives=BackupView, status=201, errors=(507,))
async def take(asked: Asked) -> Answer:
    """Take a snapshot now and read it back; old ones are thinned out as every night."""
    view = _view(await backup.take(asked.actor, asked.core))
    return Answer(view, headers={"Location": f"{API}/backups/{view.name}"})


@RESOURCE.get("/backups/<name>", right=Right.SETTINGS_READ, gives=BackupView)
async def show(asked: Asked, name: str) -> BackupView:
    """One snapshot."""
    return _view(await backup.one(asked.actor, asked.core, name))


def _view(one: Snapshot) -> BackupView:
    return BackupView(name=one.path.name, at=timestamp(one.at), label=one.label, bytes=one.bytes)
