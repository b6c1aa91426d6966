"""What a photo is like, as numbers that other stages and the search for look-alikes read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `vector` (base64 of 1280 float16, unit length), `classes` and `model`.

    `classes` are the likeliest of ImageNet's, best first, each [index, probability].
    """
    from pipeline.vision import features
    from pipeline.vision.models import Absent

    try:
        seen = features.look(subject.models, subject.picture(PREVIEW_SIDE).fit(PREVIEW_SIDE))
    except Absent as error:
        return Skip(str(error), is_final=False)
    classes = [list(pair) for pair in seen.classes]
    return Done({"vector": features.packed(seen.vector), "classes": classes, "model": seen.model})


STAGE = Stage("features", 1, run, frozenset((Category.PHOTO,)), applies)
