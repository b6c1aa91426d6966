"""Whether a photo should not be shown to everybody; off unless a family wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject

_SIDE = 640  # enough for a network that sees 224 pixels


def run(subject: Subject) -> Outcome:
    """Facts: `score` of 0 to 1, `is_sensitive` and `model`."""
    from pipeline.vision import sensitive
    from pipeline.vision.models import Absent

    try:
        judged = sensitive.judge(subject.models, subject.picture(PREVIEW_SIDE).fit(_SIDE))
    except Absent as absent:
        return Skip(str(absent), is_final=False)
    return Done(
        {
            "score": round(judged.score, 3),
            "is_sensitive": judged.is_sensitive,
            "model": judged.model,
        }
    )


STAGE = Stage("sensitive", 1, run, frozenset((Category.PHOTO,)), applies)
