"""The cover picture of a piece of audio, as its thumbnail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import THUMBNAIL_SIDE, write_thumbnail

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Makes the thumbnail; most recordings have no cover and are skipped."""
    from pipeline.codecs import cover

    demuxer = subject.format.demuxer
    assert demuxer is not None, f"{subject.format.name} is listed as audio without a demuxer"
    with subject.content() as content:
        picture = cover.read(content, demuxer, THUMBNAIL_SIDE)
    if picture is None:
        return Skip("it has no cover picture")
    return Done({}, (write_thumbnail(subject.workdir, picture.fit(THUMBNAIL_SIDE)),))


STAGE = Stage("cover", 1, run, frozenset((Category.AUDIO,)))
