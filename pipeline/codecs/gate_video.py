"""The gate for videos: every frame decodes, same length, same sounds, same picture.

A copy that is to say all that its original says is held against it track by track besides: by its
index where both are plain movies, by what FFmpeg finds in them where a film changed its container.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from pipeline.codecs import film_parity, likeness, video, video_parity
from pipeline.codecs.gate import SHORTER_S, SHORTER_SHARE, Expectations, Fault, sizes
from pipeline.errors import BadMedia

if TYPE_CHECKING:
    from pipeline.codecs.gate import Side
    from pipeline.codecs.picture import Pixels

_LOOKS = (0.05, 0.35, 0.65, 0.95)  # shares of the length at which both are looked at
_LOOK_SIDE = 256
_TICK_S = 1e-3


@dataclass(frozen=True, slots=True)
class _Run:
    """What decoding a whole video showed."""

    frames: int
    spoilt: int
    length_s: float
    sounds: int


def faults(before: Side, after: Side, wanted: Expectations) -> Iterator[Fault]:
    """Every fault of the pictures and sounds of a copied video."""
    try:
        made = _played(after)
        with _opened(after) as copy:
            size = copy.width, copy.height
    except BadMedia as error:
        yield Fault("decode", f"The copy cannot be played. {error.message}")
        return
    with _opened(before) as original:
        yield from sizes((original.width, original.height), size, wanted)
    yield from _lengths(_measured(before), before.facts.duration_s, made)
    has_fields = _is_interlaced(before) and not _is_interlaced(after)
    if wanted.is_same_picture:
        yield from _looks(before, after, has_fields)
    if wanted.keeps_metadata and wanted.size is None:
        for told in _film(before, after, has_fields):
            yield Fault("film", told)


def _film(before: Side, after: Side, has_fields: bool) -> tuple[str, ...]:
    """Is it the same film, with every track, every moment and every word?"""
    with before.path.open("rb") as original, after.path.open("rb") as copy:
        if before.format.demuxer == after.format.demuxer == "mov" and video_parity.opened(original):
            return video_parity.compare_videos(original, copy, has_fields=has_fields)
        return film_parity.compare_films(
            original, before.format, copy, after.format, has_fields=has_fields
        )


def _is_interlaced(side: Side) -> bool:
    with _opened(side) as clip:
        shot = next(video.shots(clip, 0.0), None)
        return shot is not None and bool(shot.frame.interlaced_frame)


def _lengths(before: _Run, told_s: float | None, made: _Run) -> Iterator[Fault]:
    """The copy's length is that of all frames, or what the original tells: a video that was cut on
    the phone holds more than it plays.
    """
    if made.spoilt:
        yield Fault("decode", f"{made.spoilt} pieces of the copy cannot be played.")
    slack = max(SHORTER_S, before.length_s * SHORTER_SHARE)
    if all(abs(made.length_s - s) > slack for s in (before.length_s, told_s or before.length_s)):
        yield Fault(
            "duration",
            f"The copy plays for {made.length_s:.1f} s instead of {before.length_s:.1f} s.",
        )
    if made.sounds < before.sounds:
        yield Fault("sound", f"The copy has {made.sounds} of {before.sounds} sound tracks.")


def _played(side: Side) -> _Run:
    """Decode every frame there is."""
    return _run(side, decodes=True)


def _measured(side: Side) -> _Run:
    """Only count: the original was looked at when it came in."""
    return _run(side, decodes=False)


def _run(side: Side, *, decodes: bool) -> _Run:
    with _opened(side) as clip:
        stream = clip.stream
        with contextlib.suppress(av.error.FFmpegError):
            clip.container.seek(0)  # opening looked at the first frame
        frames = spoilt = 0
        begin, end = float("inf"), 0.0
        for packet in clip.container.demux(stream):
            if packet.pts is not None:
                at = float(packet.pts * packet.time_base)
                begin = min(begin, at)
                end = max(end, at + float((packet.duration or 0) * packet.time_base))
            if decodes:
                good, bad = _decoded(packet)
                frames, spoilt = frames + good, spoilt + bad
        sounds = len(clip.container.streams.audio)
    return _Run(frames, spoilt, max(0.0, end - begin) if end else 0.0, sounds)


def _decoded(packet: Any) -> tuple[int, int]:
    try:
        frames = packet.decode()
    except av.error.EOFError:
        return 0, 0
    except av.error.FFmpegError:
        return 0, 1
    return len(frames), sum(1 for frame in frames if frame.is_corrupt)


def _looks(before: Side, after: Side, has_fields: bool) -> Iterator[Fault]:
    with (
        _opened(before) as original,
        _opened(after) as copy,
    ):
        length = min(original.duration_s, copy.duration_s)
        for share in _LOOKS:
            at_s = share * length
            shown = next(_around(original, at_s), None)
            if shown is None:
                continue
            # A copy may round its times: the frame before or behind will do.
            near = list(_around(copy, at_s))
            near = _woven(near) if has_fields else near
            found = [likeness.compare(shown, made) for made in near]
            if any(one.is_same for one in found):
                continue
            if any(one.turned != 1 for one in found):
                yield Fault("picture", "The copy is turned or mirrored against its original.")
            else:
                yield Fault("picture", f"The copy shows something else after {at_s:.1f} s.")
            return


def _woven(near: list[Pixels]) -> list[Pixels]:
    """A frame with its neighbours, as both halves look where they are shown at once."""
    frame, *others = near
    return [np.asarray((frame.astype(np.uint16) + one) // 2, np.uint8) for one in others]


def _around(clip: video.Clip, at_s: float) -> Iterator[Pixels]:
    """The frame shown at `at_s`, then the one behind it and the one before it."""
    before: video.Shot | None = None
    last: video.Shot | None = None
    behind: video.Shot | None = None
    for shot in video.shots(clip, at_s):
        if last is not None and shot.time_s > at_s + _TICK_S:
            behind = shot
            break
        before, last = last, shot
    for near in (last, behind, before):
        if near is not None:
            yield video.developed(clip, near.frame, _LOOK_SIDE)


@contextmanager
def _opened(side: Side) -> Iterator[video.Clip]:
    if side.format.demuxer is None:
        raise BadMedia("This is no video.")
    with side.path.open("rb") as file, video.opened(file, side.format.demuxer) as clip:
        yield clip
