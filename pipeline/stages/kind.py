"""Whether a picture is a photo, a screenshot, a document, a meme or a drawing, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `kind`, `confidence` 0..1 and `why`. What `features` saw helps where it is known."""
    from pipeline.vision import kind, kind_pixels

    picture = subject.picture(PREVIEW_SIDE)
    facts, seen = subject.facts.get("facts", {}), subject.facts.get("features", {})
    told = kind.Told(
        name=subject.name,
        format=subject.format.name,
        width=picture.width,
        height=picture.height,
        has_camera=bool(facts.get("make") or facts.get("model")),
        classes=tuple((int(index), float(odds)) for index, odds in seen.get("classes", ())),
    )
    return Done(kind.judge(kind_pixels.look(picture.fit(PREVIEW_SIDE)), told).to_json())


STAGE = Stage("kind", 1, run, frozenset((Category.PHOTO,)), applies, after=("facts", "features"))
