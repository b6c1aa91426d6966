"""Choosing the frame that stands for a video."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pipeline.codecs import video
from pipeline.errors import DecodeFailed

if TYPE_CHECKING:
    from pipeline.codecs.video import Clip, Shot

# Where to look, as parts of the duration: past the fade-in, then further on, then the start.
_LOOKS = (0.1, 0.3, 0.6, 0.0)
_FRAME_BUDGET = 120_000_000  # pixels decoded per look: 57 frames of Full HD, 14 of 4K


def choose(clip: Clip) -> Shot:
    """The first frame after about a tenth that shows something, else any frame at all.

    Raises `DecodeFailed` when no frame can be decoded.
    """
    fallback: Shot | None = None
    for part in _LOOKS:
        for shot in islice(video.shots(clip, part * clip.duration_s), _most_frames(clip)):
            if video.shows_something(shot.frame):
                return shot
            fallback = fallback or shot
    if fallback is None:
        raise DecodeFailed("No picture of the video can be shown; it may be cut short.")
    return fallback


def _most_frames(clip: Clip) -> int:
    return max(4, _FRAME_BUDGET // (clip.width * clip.height))
