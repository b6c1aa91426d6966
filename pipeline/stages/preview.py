"""Preview and thumbnail of a photo: upright, in sRGB, HDR brought down to an ordinary screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Format, Json, Outcome
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE, write_both

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `width` and `height` upright, and `damage` where part of the picture is missing."""
    picture = subject.picture(PREVIEW_SIDE)
    facts: dict[str, Json] = {"width": picture.width, "height": picture.height}
    if picture.damage is not None:
        facts["damage"] = picture.damage
    return Done(facts, write_both(subject.workdir, "preview", picture.fit(PREVIEW_SIDE)))


def applies(told: Format) -> bool:
    """Every photo that is decoded at all: SVG is not."""
    from pipeline.codecs.decode import DECODED

    return told.name in DECODED


STAGE = Stage("preview", 2, run, frozenset((Category.PHOTO,)), applies)
