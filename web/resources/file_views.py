"""Files as they are answered: in a list, and one with all that is known about it."""

from __future__ import annotations

from pipeline.model import Json
from pipeline.service.files import Known
from web.contract import API, Given


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


def detail(known: Known) -> FileDetail:
    """All that is known about a file."""
    facts = dict(known.facts)
    told = known.said.said.get("description")
    return FileDetail(
        **FileView.model_validate(known.row).model_dump(),
        description=facts.get("description") if told is None else told["description"],
        edited=sorted(known.said.said),
        hidden=dict(known.said.evidence),
        tags=[
            TagView(tag=tag, source=o.source, model=o.model, confidence=o.confidence)
            for tag, o in known.tags.items()
        ],
        derivatives=_derivatives(known),
        facts=facts,
    )


def _derivatives(known: Known) -> list[DerivativeView]:
    base = f"{API}/files/{known.row.id}/derivatives"
    return [
        DerivativeView(
            kind=one.kind,
            mime=one.mime,
            width=one.width,
            height=one.height,
            bytes=one.bytes,
            url=f"{base}/{one.kind}",
        )
        for one in known.made
    ]
