"""Files as they are answered: in a list, and one with all that is known about it."""

from __future__ import annotations

from pipeline.model import Json
from pipeline.service import files, media, metadata, tags
from pipeline.state.files import FileRow
from web.contract import API, Asked, Given


class FileView(Given):
    """One file."""

    id: str
    state: str
    category: str | None
    format: str | None
    mime: str | None
    path: str | None
    size: int
    sha256: str | None
    bundle_id: str | None
    bundle_role: str | None
    duplicate_of: str | None
    is_damaged: bool
    reason: str | None
    taken_at: str | None
    taken_from: str | None
    taken_confidence: float | None
    lat: float | None
    lon: float | None
    place: str | None
    width: int | None
    height: int | None
    orientation: int | None
    duration_s: float | None
    camera: str | None
    lens: str | None
    rating: int | None
    title: str | None
    found_at: str
    placed_at: str | None
    updated_at: str


class TagView(Given):
    """A tag and who says so."""

    tag: str
    source: str
    model: str | None
    confidence: float | None


class DerivativeView(Given):
    """Something made of a file."""

    kind: str
    mime: str
    width: int
    height: int
    bytes: int
    url: str


class FileDetail(FileView):
    """One file with all that is known about it.

    `edited` names the fields that people decided; `hidden` is what they would be otherwise.
    """

    description: str | None
    edited: list[str]
    hidden: dict[str, Json]
    tags: list[TagView]
    derivatives: list[DerivativeView]
    facts: dict[str, Json]


async def detail(asked: Asked, row: FileRow) -> FileDetail:
    """All that is known about a file."""
    origins = await tags.origins(asked.actor, asked.core, row.id)
    said = await metadata.said(asked.actor, asked.core, row.id)
    facts = dict(await files.facts(asked.actor, asked.core, row.id))
    told = said.said.get("description")
    return FileDetail(
        **FileView.model_validate(row).model_dump(),
        description=facts.get("description") if told is None else told["description"],
        edited=sorted(said.said),
        hidden=dict(said.evidence),
        tags=[
            TagView(tag=tag, source=o.source, model=o.model, confidence=o.confidence)
            for tag, o in origins.items()
            if not o.is_removed
        ],
        derivatives=await _derivatives(asked, row),
        facts=facts,
    )


async def version(asked: Asked, file_id: str) -> str:
    """The version of all that `detail` tells."""
    return await metadata.version(asked.actor, asked.core, file_id)


async def _derivatives(asked: Asked, row: FileRow) -> list[DerivativeView]:
    made = await media.made(asked.actor, asked.core, row.id)
    base = f"{API}/files/{row.id}/derivatives"
    return [
        DerivativeView(
            kind=one.kind,
            mime=one.mime,
            width=one.width,
            height=one.height,
            bytes=one.bytes,
            url=f"{base}/{one.kind}",
        )
        for one in made
    ]
