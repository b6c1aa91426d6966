"""Is a film that moved into another container still the same film? As FFmpeg reads both.

Every picture at its time, every sample of sound, every line of the subtitles, chapters, languages
and words. Containers round times to their own units, so moments may differ by that much. Nothing
larger than a few packets is held.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import census
from pipeline.codecs.census import Census, Kind, Stream
from pipeline.codecs.transcode_film import fields_of
from pipeline.codecs.transcode_movie import Numbers
from pipeline.errors import BadMedia
from pipeline.model import Format

_COMPARED: tuple[Kind, ...] = ("picture", "sound", "subtitle")
_TICK_S = 0.0021  # two thousandths, the unit of Matroska and Flash, and its rounding
_QUIETEST = 1 << 17  # of 2^31, -84 dB: what decoders and formats of fewer bits round away
_LINE = 200  # thousandths of a second that a subtitle's end may move by
_TAGS = re.compile(r"<[^>]*>|\{[^}]*\}")
_ASS_FIELDS = 8  # before the text of an event


def compare_films(
    original: BinaryIO,
    told: Format,
    copy: BinaryIO,
    copied: Format,
    *,
    has_fields: bool = False,
) -> tuple[str, ...]:
    """Every way in which `copy` is not the same film, as sentences; empty when it is.

    `has_fields` says that the original is interlaced: of each picture the copy has two. Raises
    `BadMedia` for an original that cannot be read.
    """
    before = _Side(original, told.demuxer or "")
    try:
        after = _Side(copy, copied.demuxer or "")
    except BadMedia as error:
        return (f"The copy cannot be read. {error.message}",)
    return tuple(_faults(before, after, has_fields))


class _Side:
    """One film and its census."""

    def __init__(self, file: BinaryIO, demuxer: str) -> None:
        self.file, self.demuxer = file, demuxer
        self.census: Census = census.taken(file, demuxer)


def _faults(before: _Side, after: _Side, has_fields: bool) -> Iterator[str]:
    old, new = before.census, after.census
    for kind in _COMPARED:
        was, now = old.of(kind), new.of(kind)
        if len(was) != len(now):
            yield f"The copy has {len(now)} of its original's {len(was)} {kind} tracks."
            return
        for one, other in zip(was, now, strict=True):
            yield from _labels(one, other, kind)
    if lost := old.of("data", "attachment"):
        yield f"The copy lacks {len(lost)} tracks of data that its original has."
    if len(old.of("cover")) != len(new.of("cover")):
        yield "The copy has lost its original's cover."
    yield from _pictures(before, after, has_fields)
    for one, other in zip(old.of("sound"), new.of("sound"), strict=True):
        if not _sounds_alike(before, one, after, other):
            yield "The copy does not sound like its original, or not as long."
    for one, other in zip(old.of("subtitle"), new.of("subtitle"), strict=True):
        if not _read_alike(_lines(before, one), _lines(after, other)):
            yield "The copy's subtitles are not those of its original."
    yield from _words(old, new)


def _labels(one: Stream, other: Stream, name: str) -> Iterator[str]:
    if one.language and one.language != other.language:
        yield f"The copy does not say in which language its {name} track is."
    if one.title and one.title != other.title:
        yield f"The copy does not say what its {name} track is called."


# --- Pictures -------------------------------------------------------------------------------------


def _pictures(before: _Side, after: _Side, has_fields: bool) -> Iterator[str]:
    was, is_timed = _shown(before)
    now, _ = _shown(after)
    if has_fields and 1 < len(was) != len(now):  # else each half is a packet already
        was = fields_of(was, int(was[-1] - was[-2])) // 2
    if len(was) != len(now):
        yield f"The copy has {len(now)} of its original's {len(was)} pictures."
    elif is_timed and len(was) and np.abs(was - now).max() > _TICK_S * 1e6:
        yield "The copy shows its pictures at other times than its original."


def _shown(side: _Side) -> tuple[Numbers, bool]:
    """When each picture is shown, in millionths of a second after the first.

    False where the container does not say it: AVI has an order and a rate, no times.
    """
    times: list[int] = []
    count = 0
    with census.opened(side.file, side.demuxer) as container:
        stream = container.streams[side.census.of("picture")[0].number]
        for packet in container.demux(stream):
            if not packet.size:
                continue
            count += 1
            if packet.pts is not None:
                times.append(round(float(packet.pts * packet.time_base) * 1e6))
    shown = np.sort(np.array(times if len(times) == count else range(count), np.int64))
    is_timed = len(times) == count and side.demuxer != "avi"
    return (shown - shown[0] if count else shown), is_timed


# --- Sound ----------------------------------------------------------------------------------------

_Samples = NDArray[np.int32]


def _sounds_alike(before: _Side, one: Stream, after: _Side, other: Stream) -> bool:
    """The same samples from beginning to end, but for what a format stores less finely.

    What decoders leave out at the beginning counts too where the coded sound went along.
    """
    is_coded_anew = other.codec == "alac" != one.codec
    was, now = (_samples(*side, not is_coded_anew) for side in ((before, one), (after, other)))
    left = right = np.zeros(0, np.int32)
    while True:
        if not len(left):
            left = next(was, left)
        if not len(right):
            right = next(now, right)
        count = min(len(left), len(right))
        if not count:
            return not len(left) and not len(right)
        apart = np.abs(left[:count].astype(np.int64) - right[:count])
        if apart.max() > _QUIETEST:
            return False
        left, right = left[count:], right[count:]


def _samples(side: _Side, stream: Stream, takes_all: bool) -> Iterator[_Samples]:
    """All channels interleaved, as 32 bits: every sample that was coded, or those to be heard."""
    with census.opened(side.file, side.demuxer) as container:
        track = container.streams[stream.number]
        if takes_all:
            track.codec_context.options = {"flags2": "+skip_manual"}
        resampler = None
        for packet in container.demux(track):
            for frame in _decoded(packet):
                resampler = resampler or av.AudioResampler(format="s32")
                for part in resampler.resample(frame):
                    yield np.asarray(part.to_ndarray(), np.int32).ravel()


def _decoded(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except (av.error.InvalidDataError, av.error.EOFError):
        return []


# --- Words ----------------------------------------------------------------------------------------

_Line = tuple[int, str]


def _lines(side: _Side, stream: Stream) -> list[_Line]:
    """When each line begins, in thousandths of a second, and its text without marks."""
    found = []
    with census.opened(side.file, side.demuxer) as container:
        track = container.streams[stream.number]
        for packet in container.demux(track):
            if not packet.size or packet.pts is None:
                continue
            at = round(float(packet.pts * packet.time_base) * 1000)
            found += [(at, text) for text in _texts(packet)]
    return found


def _texts(packet: Any) -> Iterator[str]:
    for event in packet.decode():
        for part in getattr(event, "rects", None) or (event,):
            said = getattr(part, "ass", b"") or getattr(part, "text", b"")
            text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
            text = text.split(",", _ASS_FIELDS)[-1] if text.count(",") >= _ASS_FIELDS else text
            text = " ".join(_TAGS.sub("", text).replace("\\N", " ").replace("\\n", " ").split())
            if text:
                yield text


def _read_alike(was: list[_Line], now: list[_Line]) -> bool:
    if len(was) != len(now):
        return False
    return all(
        one[1] == other[1] and abs(one[0] - other[0]) <= _LINE
        for one, other in itertools.zip_longest(was, now, fillvalue=(0, ""))
    )


def _words(old: Census, new: Census) -> Iterator[str]:
    for one, other in itertools.zip_longest(old.chapters, new.chapters):
        if not (one and other) or one[2] != other[2] or abs(one[0] - other[0]) > 2:
            yield "The copy's chapters are not those of its original."
            break
    kept = set(new.words.values())
    if lost := [name for name, text in old.words.items() if text not in kept]:
        yield f"The copy does not say what its original calls {lost[0]}."
