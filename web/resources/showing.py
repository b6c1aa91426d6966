"""What is shown or given of a file beside its own bytes: the film of a Live Photo, a mute copy."""

from __future__ import annotations

from quart import Response

from pipeline.access.rights import Right
from pipeline.service import files, media, scrubbed
from web import media as answering
from web.contract import Asked, Resource

RESOURCE = Resource(
    "showing", "Films inside photos, and copies that do not tell where they are of."
)


@RESOURCE.get(
    "/files/<file_id>/motion",
    right=Right.FILES_READ,
    is_raw=True,
    rate="media",
    media_types=("video/*",),
    errors=(206, 304, 416),
)
async def motion(asked: Asked, file_id: str) -> Response:
    """The film of a Live Photo or a motion photo."""
    one = await media.moving(asked.actor, asked.core, file_id)
    return await answering.respond(asked, one)


@RESOURCE.get(
    "/files/<file_id>/scrubbed",
    right=Right.FILES_READ,
    is_raw=True,
    rate="media",
    media_types=("image/*", "video/*"),
    errors=(206, 304, 416, 422, 503),
)
async def scrubbed_copy(asked: Asked, file_id: str) -> Response:
    """The original without place, owner, serial number and author.

    Made when it is first asked for: 503 with `Retry-After` until it is there.
    """
    row = await files.one(asked.actor, asked.core, file_id)
    one = await scrubbed.copy(asked.actor, asked.core, row)
    return await answering.respond(asked, one, download=True)
