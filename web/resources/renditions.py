"""Renditions: smaller copies, other formats, scrubbed or blurred ones, and what they saved."""

from __future__ import annotations

from quart import Response

from pipeline.access.rights import Right
from pipeline.model import Json
from pipeline.service import files, renditions
from pipeline.service.answers import Rendition
from pipeline.service.media import Media
from web import media as answering
from web.contract import API, Asked, Given, Resource

RESOURCE = Resource("renditions", "What was made of files on request. `POST /jobs` asks for more.")


class RenditionView(Given):
    """One copy, or why there is none; `url` gives its bytes while it lies in the cache."""

    id: str
    file_id: str
    stage: str
    outcome: str
    reason: str | None
    facts: dict[str, Json]
    kind: str
    mime: str | None
    width: int | None
    height: int | None
    bytes_before: int
    bytes_after: int | None
    made_at: str
    replaced_at: str | None
    url: str | None


class RenditionList(Given):
    """What was made of one file, the newest first."""

    items: list[RenditionView]


class SavingsView(Given):
    """What renditions of one stage came to; `freed` counts those in their originals' place."""

    stage: str
    made: int
    skipped: int
    replaced: int
    bytes_before: int
    bytes_after: int
    freed: int


class Ledger(Given):
    """The sums, by stage."""

    items: list[SavingsView]


@RESOURCE.get("/renditions/savings", right=Right.FILES_READ, gives=Ledger)
async def savings(asked: Asked) -> Ledger:
    """What smaller copies saved so far."""
    found = await renditions.savings(asked.actor, asked.core)
    return Ledger(items=[SavingsView.model_validate(one) for one in found])


@RESOURCE.get("/files/<file_id>/renditions", right=Right.FILES_READ, gives=RenditionList)
async def of_file(asked: Asked, file_id: str) -> RenditionList:
    """What was made of one file."""
    row = await files.one(asked.actor, asked.core, file_id)
    found = await renditions.of_file(asked.actor, asked.core, row.id)
    return RenditionList(items=list(map(_view, found)))


@RESOURCE.get(
    "/files/<file_id>/renditions/<rendition_id>",
    right=Right.FILES_READ,
    is_raw=True,
    rate="media",
    media_types=("image/*", "video/*"),
    errors=(206, 304, 416),
)
async def content(asked: Asked, file_id: str, rendition_id: str) -> Response:
    """The bytes of one copy."""
    row = await files.one(asked.actor, asked.core, file_id)
    one: Media = await renditions.media(asked.actor, asked.core, row.id, rendition_id)
    return await answering.respond(asked, one, download="download" in asked.request.args)


def _view(one: Rendition) -> RenditionView:
    is_there = one.outcome == "made" and one.path is not None
    url = f"{API}/files/{one.file_id}/renditions/{one.id}" if is_there else None
    return RenditionView(
        id=one.id,
        file_id=one.file_id,
        stage=one.stage,
        outcome=one.outcome,
        reason=one.reason,
        facts=dict(one.facts),
        kind=one.kind,
        mime=one.mime,
        width=one.width,
        height=one.height,
        bytes_before=one.bytes_before,
        bytes_after=one.bytes_after,
        made_at=one.made_at,
        replaced_at=one.replaced_at,
        url=url,
    )
