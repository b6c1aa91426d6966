"""How good a photo is: sharp, well exposed, clean; one score, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `score` 0..100, `parts` (each 0..1 or null) and `why`.

    It is judged as a screen shows it: at the size of the preview.
    """
    from pipeline.vision.quality import compression, score

    picture = subject.picture(PREVIEW_SIDE)
    pixels = picture.fit(PREVIEW_SIDE)
    shrunk = max(picture.width, picture.height) / max(pixels.shape)
    is_jpeg = subject.format.name == "jpeg" and subject.is_held
    pressed = compression.jpeg_quality(subject.data()) if is_jpeg else None
    faces = subject.facts.get("faces", {}).get("faces", ())
    return Done(score.judge(pixels, faces, pressed, shrunk).to_json())


STAGE = Stage("quality", 1, run, frozenset((Category.PHOTO,)), applies, after=("faces",))
