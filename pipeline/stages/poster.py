"""The frame that stands for a video, and its thumbnail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE, write_both

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `width` and `height` as shown, and `at_s`, where in the video the frame stands."""
    from pipeline.codecs import poster, video

    demuxer = subject.format.demuxer
    assert demuxer is not None, f"{subject.format.name} is listed as video without a demuxer"
    with subject.content() as content, video.opened(content, demuxer) as clip:
        shot = poster.choose(clip)
        pixels = video.developed(clip, shot.frame, PREVIEW_SIDE)
        facts = {"width": clip.width, "height": clip.height, "at_s": round(shot.time_s, 3)}
    return Done(facts, write_both(subject.workdir, "poster", pixels))


STAGE = Stage("poster", 1, run, frozenset((Category.VIDEO,)))
