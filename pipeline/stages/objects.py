"""The things in a photo, with where they are. How they are seen stands in `vision.detect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Json, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `objects` (label, score, box as left, top, width, height of 1) and `model`."""
    from pipeline.vision.detect import things
    from pipeline.vision.models import Absent

    pixels = subject.picture(PREVIEW_SIDE).fit(things.SIDE)
    try:
        found = things.find(subject.models, pixels)
    except Absent as absent:
        return Skip(str(absent), is_final=False)
    told: list[Json] = [
        {
            "label": thing.label,
            "score": round(thing.score, 3),
            "box": [round(side, 4) for side in thing.box],
        }
        for thing in found.things
    ]
    return Done({"objects": told, "model": found.model})


STAGE = Stage("objects", 1, run, frozenset((Category.PHOTO,)), applies)
