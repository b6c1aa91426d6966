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
_DARK, _GLARING, _PLAIN = 32.0, 232.0, 8.0  # brightness and its spread: fades have none
_FRAME_BUDGET = 60_000_000  # pixels decoded per look: 28 frames of Full HD, 7 of 4K


def choose(clip: Clip) -> Shot:
    """The first frame after about a tenth that shows something, else the one that shows most.

    Raises `DecodeFailed` when no frame can be decoded.
    """
    best: Shot | None = None
    most = -1.0
    for part in _LOOKS:
        for shot in islice(video.shots(clip, part * clip.duration_s), _most_frames(clip)):
            mean, spread = video.look(shot.frame)
            if _DARK <= mean <= _GLARING and spread >= _PLAIN:
                return shot
            if spread > most:
                best, most = shot, spread
    if best is None:
        raise DecodeFailed("No picture of the video can be shown; it may be cut short.")
    return best


def _most_frames(clip: Clip) -> int:
    return max(4, _FRAME_BUDGET // (clip.width * clip.height))
