"""A few silent seconds of a video, to be played in a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Made, Outcome, Skip
from pipeline.stages.contract import Stage

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject

_NAME = "clip.mp4"


def run(subject: Subject) -> Outcome:
    """Starts where the poster stands."""
    if "poster" not in subject.facts:
        return Skip("there is no picture to show")
    from pipeline.codecs import trailer, video

    demuxer = subject.format.demuxer
    assert demuxer is not None, f"{subject.format.name} is listed as video without a demuxer"
    from_s = float(subject.facts["poster"].get("at_s", 0.0))
    with subject.content() as content, video.opened(content, demuxer) as clip:
        width, height = trailer.write(clip, from_s, subject.workdir / _NAME)
    return Done({}, (Made("clip", _NAME, "video/mp4", width, height),))


STAGE = Stage("clip", 2, run, frozenset((Category.VIDEO,)), after=("poster",))
