"""Video frames through FFmpeg's libraries, as small upright sRGB pictures.

The demuxer is the one our own detection named and the bytes come from the caller, with every
protocol shut: a playlist in disguise can open neither a file nor a connection. Work is bounded by
packets and pixels, never by what a file claims.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import av
import cv2

from pipeline.codecs import colour, limits, orient, resize
from pipeline.codecs.border import decoding
from pipeline.errors import DecodeFailed

if TYPE_CHECKING:
    from pipeline.codecs.picture import Content, Pixels

OPTIONS = {
    "protocol_whitelist": "none",
    "probesize": str(8 << 20),
    "analyzeduration": "5000000",  # microseconds
    "max_streams": "64",
    "ignore_editlist": "1",  # MP4: lists that contradict the tables make seeking quadratic
}
_BUFFER = 1 << 18
_EARLIER_S = (0.0, 3.0, 15.0)  # MPEG streams have no index: seeking there may land too late
_TICK_S = 1e-3
_MOST_PACKETS = 500  # without a frame; more than any decoder holds back
_ORIENTATIONS = {-90: 6, 270: 6, 90: 8, -270: 8, 180: 3, -180: 3}
_BT601, _BT709, _BT2020 = (5, 6), 1, 9  # H.273 matrix coefficients
_FULL_RANGE = 2

av.logging.set_level(None)


@dataclass(frozen=True, slots=True)
class Clip:
    """An open video: its stream, and its size as shown (upright, with square pixels)."""

    container: Any
    stream: Any
    duration_s: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shot:
    """One decoded frame; `time_s` counts from the start of the video."""

    frame: Any
    time_s: float


@contextmanager
def opened(content: Content, demuxer: str) -> Iterator[Clip]:
    """Open the main video stream. Raises `BadMedia` when there is none that can be shown."""
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    source.seek(0)
    with (
        decoding("video"),
        av.open(
            source,
            format=demuxer,
            options=OPTIONS,
            metadata_errors="replace",
            buffer_size=_BUFFER,
        ) as container,
    ):
        stream = _main_stream(container)
        width, height = stream.codec_context.width, stream.codec_context.height
        limits.require_decodable(width, height)
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(limits.MOST_PIXELS)}
        yield Clip(container, stream, _duration(container, stream), *_shown_size(stream))


def shots(clip: Clip, from_s: float, *, keyframes_only: bool = False) -> Iterator[Shot]:
    """Frames in order from the last keyframe at or before `from_s` on.

    Where a stream has no keyframe there, or cannot seek, from the beginning.
    """
    clip.stream.codec_context.skip_frame = "NONKEY" if keyframes_only else "DEFAULT"
    first, following = None, _read(clip)
    for earlier_s in _EARLIER_S:
        if from_s > earlier_s:
            _seek(clip, from_s - earlier_s)
        else:
            _rewind(clip)
        following = _read(clip)
        first = next(following, None)
        if first is None or first.time_s <= from_s + _TICK_S:
            break
    if first is not None:
        yield first
        yield from following
    elif _rewind(clip):
        yield from _read(clip)


def _read(clip: Clip) -> Iterator[Shot]:
    stream = clip.stream
    start = float((stream.start_time or 0) * stream.time_base)
    idle = 0
    for packet in clip.container.demux(stream):
        idle += 1
        if idle > _MOST_PACKETS:
            return
        for frame in _decoded(packet):
            idle = 0
            at = frame.pts * frame.time_base if frame.pts is not None else 0
            yield Shot(frame, max(0.0, float(at) - start))


def developed(clip: Clip, frame: Any, long_side: int) -> Pixels:
    """The frame upright, in sRGB, with square pixels, at most `long_side` long."""
    return _upright(frame, (clip.width, clip.height), long_side)


def upright(frame: Any, long_side: int) -> Pixels:
    """The same for a frame alone, with its pixels as square as they are stored."""
    size = frame.width, frame.height
    is_turned = orient.swaps_sides(orientation(frame))
    return _upright(frame, (size[1], size[0]) if is_turned else size, long_side)


def _upright(frame: Any, size: tuple[int, int], long_side: int) -> Pixels:
    turn = orientation(frame)
    shown = resize.fitted(size, long_side)
    width, height = reversed(shown) if orient.swaps_sides(turn) else shown
    is_hdr = colour.is_hdr(int(frame.color_trc))
    rgb = frame.reformat(
        width=width,
        height=height,
        format="rgb48le" if is_hdr else "rgb24",
        interpolation="AREA" if width * 2 <= frame.width else "BICUBIC",
        src_colorspace=_matrix(frame),
        src_color_range=frame.color_range or 1,
        dst_color_range=_FULL_RANGE,
    ).to_ndarray()
    if is_hdr:
        develop = colour.from_codes(int(frame.color_primaries), int(frame.color_trc))
        rgb = develop(rgb) if develop else rgb
    return orient.upright(rgb, turn)


def look(frame: Any) -> tuple[float, float]:
    """Mean and spread of the brightness, 0..255: fades and lens caps have little of either."""
    grey = frame.reformat(width=64, height=64, format="gray").to_ndarray()
    mean, spread = cv2.meanStdDev(grey)
    return float(mean[0][0]), float(spread[0][0])


def _decoded(packet: Any) -> list[Any]:
    """A spoilt packet costs its own frame, not the video."""
    try:
        return list(packet.decode())
    except (av.error.InvalidDataError, av.error.EOFError):
        return []


def _main_stream(container: Any) -> Any:
    """The largest picture that moves; cover art counts as none."""
    streams = [s for s in container.streams.video if not is_cover(s) and s.codec_context]
    if not streams:
        raise DecodeFailed("The video holds no moving picture.")
    return max(streams, key=lambda s: s.codec_context.width * s.codec_context.height)


def is_cover(stream: Any) -> bool:
    """True for a still picture that an audio or video file carries along."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _duration(container: Any, stream: Any) -> float:
    if stream.duration:
        return max(0.0, float(stream.duration * stream.time_base))
    return max(0.0, (container.duration or 0) / 1_000_000)


def _shown_size(stream: Any) -> tuple[int, int]:
    """Pixels that are not square are stretched to where they are."""
    width, height = stream.codec_context.width, stream.codec_context.height
    aspect = float(stream.sample_aspect_ratio or 1)
    if 0.25 <= aspect <= 4:
        width = max(1, round(width * aspect))
    is_turned = orient.swaps_sides(_stream_orientation(stream))
    return (height, width) if is_turned else (width, height)


def _stream_orientation(stream: Any) -> int:
    """Only frames carry the display matrix: look at the first one."""
    for packet in islice(stream.container.demux(stream), _MOST_PACKETS):
        for frame in _decoded(packet):
            return orientation(frame)
    return 1


def orientation(frame: Any) -> int:
    """The EXIF orientation that turns the frame upright."""
    quarter = round(frame.rotation / 90) * 90
    return _ORIENTATIONS.get(quarter, 1)


def _matrix(frame: Any) -> int:
    """Untagged video: high definition is BT.709, everything before it BT.601."""
    told = int(frame.colorspace)
    if told == _BT2020:
        return int(av.video.reformatter.Colorspace.BT2020)
    is_709 = told == _BT709 or (told not in _BT601 and frame.height >= 720)
    table = av.video.reformatter.Colorspace
    return int(table.ITU709 if is_709 else table.ITU601)


def _seek(clip: Clip, to_s: float) -> None:
    """To the keyframe at or before; streams that cannot seek go on where they are."""
    start = clip.stream.start_time or 0
    target = start + int(to_s / clip.stream.time_base)
    with contextlib.suppress(av.error.FFmpegError):
        clip.container.seek(target, stream=clip.stream, backward=True)


def _rewind(clip: Clip) -> bool:
    try:
        clip.container.seek(0)
    except av.error.FFmpegError:
        return False
    return True
