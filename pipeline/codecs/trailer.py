"""A few silent seconds of a video, small enough to play while the pointer rests on it.

Motion as it was where that is cheap; for videos whose frames are costly (4K, 60 per second) a walk
through the whole video by its keyframes, which costs a tenth and often tells more.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from pipeline.codecs import limits, video
from pipeline.codecs.border import decoding
from pipeline.errors import DecodeFailed

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels
    from pipeline.codecs.video import Clip

LONG_SIDE = 640
SECONDS = 4.0
RATE = 12
WALK_RATE = 3
_PIXEL_BUDGET = 300_000_000  # decoded for one trailer: 4 s of Full HD at 30 frames per second
_BT709, _LIMITED, _FULL = 1, 1, 2  # H.273; FFmpeg's ranges
_OPTIONS = {"preset": "superfast", "crf": "29", "threads": "1"}


def write(clip: Clip, from_s: float, path: Path) -> tuple[int, int]:
    """Write an MP4 (H.264) that every browser plays; returns its size in pixels.

    Raises `DecodeFailed` when there is no frame to show.
    """
    pictures, rate = _pictures(clip, from_s)
    first = next(pictures, None)
    if first is None:
        raise DecodeFailed("No picture of the video can be shown; it may be cut short.")
    height, width = (side - side % 2 for side in first.shape[:2])
    with (
        decoding("video"),
        av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as output,
    ):
        stream = output.add_stream("libx264", rate=rate, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        _tag(stream.codec_context)
        for number, pixels in enumerate(_all(first, pictures)):
            cut = np.ascontiguousarray(pixels[:height, :width])
            frame = _coded(av.VideoFrame.from_ndarray(cut, format="rgb24"))
            frame.pts, frame.time_base = number, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return width, height


def _tag(context: Any) -> None:
    """BT.709 throughout, said in the stream: players guess where nothing is said."""
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _LIMITED


def _coded(frame: Any) -> Any:
    """From sRGB pixels, which are full range, to what the stream says it holds."""
    made = frame.reformat(
        format="yuv420p",
        dst_colorspace=av.video.reformatter.Colorspace.ITU709,
        src_color_range=_FULL,
        dst_color_range=_LIMITED,
    )
    made.color_primaries = made.color_trc = made.colorspace = _BT709
    return made


def _all(first: Pixels, rest: Iterator[Pixels]) -> Iterator[Pixels]:
    yield first
    for pixels in rest:
        if pixels.shape == first.shape:  # a stream may change its size on the way
            yield pixels


def _pictures(clip: Clip, from_s: float) -> tuple[Iterator[Pixels], int]:
    context = clip.stream.codec_context
    rate = float(clip.stream.average_rate or 30)
    seconds = min(SECONDS, clip.duration_s or SECONDS)
    cost = context.width * context.height * rate * seconds
    if cost <= _PIXEL_BUDGET:
        return _motion(clip, from_s), RATE
    return _walk(clip), WALK_RATE


def _motion(clip: Clip, from_s: float) -> Iterator[Pixels]:
    """`RATE` pictures a second of what was filmed from `from_s` on, or of the last seconds."""
    start = max(0.0, min(from_s, clip.duration_s - SECONDS))
    due = start
    for shot in islice(video.shots(clip, start), limits.MOST_FRAMES):
        if shot.time_s >= start + SECONDS:
            return
        if shot.time_s + 1e-3 >= due:
            due = max(due + 1 / RATE, shot.time_s)
            yield video.developed(clip, shot.frame, LONG_SIDE)


def _walk(clip: Clip) -> Iterator[Pixels]:
    """Keyframes at even distances through the whole video."""
    count = int(SECONDS * WALK_RATE)
    last = -1.0
    for step in range(count):
        at = clip.duration_s * step / count
        for shot in islice(video.shots(clip, at, keyframes_only=True), 1):
            if shot.time_s > last:
                last = shot.time_s
                yield video.developed(clip, shot.frame, LONG_SIDE)
