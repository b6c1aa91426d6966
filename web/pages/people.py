"""Who is in the photos: faces to name, and questions that only a person can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.access.rights import Right
from pipeline.service import files, people
from web.contract import Asked
from web.shell import Page

if TYPE_CHECKING:
    from pipeline.service.answers import Portrait

SHOWN = 120
QUESTIONS = 6
AROUND = 1.7  # how much of the picture is shown around a face
HIGH = 1000  # units of the drawing's height


@dataclass(frozen=True, slots=True)
class Crop:
    """A face as a part of its picture's preview: an SVG view box, and the picture's width."""

    file_id: str
    key: str
    view: str
    width: int


async def _gather(asked: Asked) -> Mapping[str, Any]:
    actor, core = asked.actor, asked.core
    found = (await people.listing(actor, core))[:SHOWN]
    doubts = await people.questions(actor, core, QUESTIONS)
    shown = [(one, await _first(asked, one.id)) for one in found]
    asking = [(one, await _crop(asked, one.one), await _crop(asked, one.other)) for one in doubts]
    return {
        "people": shown,
        "questions": asking,
        "is_on": await people.recognition_is_on(actor, core),
    }


async def _first(asked: Asked, person_id: str) -> Crop | None:
    shown = await people.show(asked.actor, asked.core, person_id, 1)
    return await _crop(asked, shown.portraits[0]) if shown.portraits else None


async def _crop(asked: Asked, portrait: Portrait) -> Crop:
    face = portrait.face
    row = await files.one(asked.actor, asked.core, face.file_id)
    ratio = 1.0
    if row.width and row.height:
        turned = (row.orientation or 1) >= 5
        ratio = row.height / row.width if turned else row.width / row.height
    return Crop(row.id, (row.sha256 or "")[:12], _view(face.box, ratio), round(ratio * HIGH))


def _view(box: Sequence[float], ratio: float) -> str:
    """A square around the face, inside the picture where it can be."""
    x, y, w, h = box[0] * ratio * HIGH, box[1] * HIGH, box[2] * ratio * HIGH, box[3] * HIGH
    side = min(max(w, h) * AROUND, HIGH, ratio * HIGH)
    left = min(max(x + w / 2 - side / 2, 0), ratio * HIGH - side)
    top = min(max(y + h / 2 - side / 2, 0), HIGH - side)
    return f"{left:.0f} {top:.0f} {side:.0f} {side:.0f}"


PAGE = Page(
    name="people",
    path="/people",
    right=Right.PEOPLE_READ,
    gather=_gather,
    template="people.html",
    order=3,
    icon="people",
    scripts=("act.js",),
)
