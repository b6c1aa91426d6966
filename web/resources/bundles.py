"""Bundles: files that belong together and move as one, and a person's word about them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import bundles, bundling
from pipeline.service.bundling import MOST, Regrouped
from web.contract import API, Answer, Asked, Given, Resource, Taken
from web.resources.file_views import FileView
from web.undoing import undo_link

RESOURCE = Resource(
    "bundles", "Live Photos, RAW with JPEG, edits, sidecars: what belongs together."
)
Files = Annotated[
    tuple[Annotated[str, Field(max_length=64)], ...], Field(min_length=1, max_length=MOST)
]


class BundleView(Given):
    """One bundle, the file that people look at first."""

    id: str
    members: list[FileView]


class BundleJoin(Taken):
    """Files that belong together. The first is the one that people look at."""

    files: Files


class BundleSplit(Taken):
    """Files that do not belong to the bundle."""

    files: Files


class BundleChanged(Given):
    """The bundle that was made or changed; `job` is what to undo."""

    bundle: BundleView
    job: str


@RESOURCE.get("/bundles/<bundle_id>", right=Right.FILES_READ, gives=BundleView)
async def show(asked: Asked, bundle_id: str) -> BundleView:
    """The files of a bundle."""
    return await _view(asked, bundle_id)


@RESOURCE.post(
    "/bundles",
    right=Right.FILES_WRITE,
    takes=BundleJoin,
    gives=BundleChanged,
    status=201,
    errors=(404, 409),
)
async def join(asked: Asked, body: BundleJoin) -> Answer:
    """Let files be one bundle, with all that belongs to them: they move and go as one from then on.

    Where they lie and what they are called stays as it is.
    """
    done = await bundling.join(asked.actor, asked.core, body.files)
    return await _changed(asked, done)


@RESOURCE.post(
    "/bundles/<bundle_id>/split",
    right=Right.FILES_WRITE,
    takes=BundleSplit,
    gives=BundleChanged,
    status=201,
    errors=(404, 409),
)
async def split(asked: Asked, bundle_id: str, body: BundleSplit) -> Answer:
    """Take files out of a bundle. They stand for themselves, together; that bundle is answered."""
    done = await bundling.split(asked.actor, asked.core, bundle_id, body.files)
    return await _changed(asked, done)


async def _changed(asked: Asked, done: Regrouped) -> Answer:
    view = BundleChanged(bundle=await _view(asked, done.bundle_id), job=done.job_id)
    return Answer(
        view,
        headers={
            "Location": f"{API}/bundles/{done.bundle_id}",
            **undo_link(done.job_id),
        },
    )


async def _view(asked: Asked, bundle_id: str) -> BundleView:
    found = await bundles.members(asked.actor, asked.core, bundle_id)
    return BundleView(id=bundle_id, members=[FileView.model_validate(row) for row in found])
