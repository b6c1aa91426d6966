"""Editing what is known of one file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import files, metadata
from pipeline.service.editing import Say
from web.contract import Answer, Asked, Resource, Taken
from web.resources.file_views import FileDetail, detail
from web.undoing import undo_link

RESOURCE = Resource("metadata", "What people say of files, over what is read of them.")
FIELDS = ("title", "description", "rating", "taken_at", "position")
Word = Annotated[str, Field(min_length=1, max_length=100)]
Name = Literal["title", "description", "rating", "taken_at", "position"]


class Metadata(Taken):
    """What people say of a file. A field that is left out stays; null says that there is none."""

    title: Annotated[str, Field(max_length=300)] | None = None
    description: Annotated[str, Field(max_length=10_000)] | None = None
    rating: Annotated[int, Field(ge=-1, le=5)] | None = None
    taken_at: Annotated[str, Field(max_length=40)] | None = None
    position: tuple[float, float] | None = None
    tags: Annotated[list[Word], Field(max_length=200)] | None = None
    reset: Annotated[tuple[Name, ...], Field(max_length=5)] = ()


class WholeMetadata(Taken):
    """Everything that people can say of a file; what differs from now is taken as their word."""

    title: Annotated[str, Field(max_length=300)] | None
    description: Annotated[str, Field(max_length=10_000)] | None
    rating: Annotated[int, Field(ge=-1, le=5)] | None
    taken_at: Annotated[str, Field(max_length=40)] | None
    position: tuple[float, float] | None
    tags: Annotated[list[Word], Field(max_length=200)]


@RESOURCE.patch(
    "/files/<file_id>",
    right=Right.FILES_WRITE,
    gives=FileDetail,
    takes=Metadata,
    is_conditional=True,
)
async def edit(asked: Asked, file_id: str, body: Metadata) -> Answer:
    """Say something about a file and what belongs to it: fields by name, `reset` takes a word back.

    `taken_at` is ISO 8601, with its offset where known; `position` is latitude and longitude. The
    answer's `Link` with `rel="undo"` is the job to undo it by.
    """
    told = body.model_fields_set - {"tags", "reset"}
    fields = {name: getattr(body, name) for name in sorted(told)}
    given = body.tags or [] if "tags" in body.model_fields_set else None
    return await _edit(asked, file_id, Say(fields, body.reset), given)


@RESOURCE.put(
    "/files/<file_id>",
    right=Right.FILES_WRITE,
    gives=FileDetail,
    takes=WholeMetadata,
    is_conditional=True,
)
async def replace(asked: Asked, file_id: str, body: WholeMetadata) -> Answer:
    """Say everything about a file: what differs from what is known is taken as a person's word."""
    now = detail(await files.known(asked.actor, asked.core, file_id))
    fields = {name: getattr(body, name) for name in FIELDS}
    known = {name: getattr(now, name) for name in FIELDS if name != "position"}
    known["position"] = None if now.lat is None or now.lon is None else (now.lat, now.lon)
    changed = {name: value for name, value in fields.items() if value != known[name]}
    return await _edit(asked, file_id, Say(changed), body.tags)


async def _edit(asked: Asked, file_id: str, say: Say, given: list[str] | None) -> Answer:
    row = await files.one(asked.actor, asked.core, file_id)
    is_said = bool(say.fields or say.reset)
    headers: dict[str, str] = {}
    if is_said or given is not None:
        job = await metadata.edit(
            asked.actor,
            asked.core,
            row.id,
            say if is_said else None,
            given=given,
            seen=asked.if_match,
        )
        headers = undo_link(job)
    known = await files.known(asked.actor, asked.core, row.id)
    return Answer(detail(known), etag=known.version, headers=headers)
