"""The text in a photo. How it is read stands in `vision.text`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Json, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject

_SIDE = 2 * PREVIEW_SIDE  # what was decoded for the preview may be larger, and is easier to read


def run(subject: Subject) -> Outcome:
    """Facts: `text`, `lines` (text, score, box as left, top, width, height of 1) and `model`."""
    from pipeline.vision.models import Absent
    from pipeline.vision.text import reading

    picture = subject.picture(PREVIEW_SIDE)
    try:
        page = reading.read(subject.models, picture.fit(min(_SIDE, picture.long_side)))
    except Absent as absent:
        return Skip(str(absent), is_final=False)
    told: list[Json] = [
        {
            "text": line.text,
            "score": round(line.score, 3),
            "box": [round(side, 4) for side in line.box],
        }
        for line in page.lines
    ]
    text = "\n".join(line.text for line in page.lines)
    return Done({"text": text, "lines": told, "model": page.model})


STAGE = Stage("text", 1, run, frozenset((Category.PHOTO,)), applies)
