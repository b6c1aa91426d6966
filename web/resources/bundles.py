"""Bundles: files that belong together and move as one."""

from __future__ import annotations

from pipeline.access.rights import Right
from pipeline.service import bundles
from web.contract import Asked, Given, Resource
from web.resources.file_views import FileView

RESOURCE = Resource(
    "bundles", "Live Photos, RAW with JPEG, edits, sidecars: what belongs together."
)


class BundleView(Given):
    """One bundle, the file that people look at first."""

    id: str
    members: list[FileView]


@RESOURCE.get("/bundles/<bundle_id>", right=Right.FILES_READ, gives=BundleView)
async def show(asked: Asked, bundle_id: str) -> BundleView:
    """The files of a bundle."""
    found = await bundles.members(asked.actor, asked.core, bundle_id)
    return BundleView(id=bundle_id, members=[FileView.model_validate(row) for row in found])
