"""What a photo looks like, for finding its near-duplicates. What it means stands in `phash`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `phash` (64 bits, signed), `detail` (base64) and `flat`, over the preview's pixels."""
    if "preview" not in subject.facts:
        return Skip("there is no picture to compare")
    from pipeline.codecs import phash

    signature = phash.signature(subject.picture(PREVIEW_SIDE).fit(PREVIEW_SIDE))
    detail = base64.b64encode(signature.detail).decode("ascii")
    return Done({"phash": signature.phash, "detail": detail, "flat": signature.flat})


STAGE = Stage("similar", 2, run, frozenset((Category.PHOTO,)), applies, after=("preview",))
