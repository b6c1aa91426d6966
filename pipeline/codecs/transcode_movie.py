"""The tables of an MP4 or QuickTime movie: where each chunk lies, when each picture is shown.

ISO/IEC 14496-12, 8.5 to 8.7. Edit lists are not applied: times are those of the media, so that
nothing a person cut away is lost. Tables that contradict each other are refused, never repaired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DecodeFailed
from pipeline.metadata import boxes
from pipeline.metadata.findings import Data

Span: TypeAlias = tuple[int, int]  # payload of a box: start, end
Numbers: TypeAlias = NDArray[np.int64]
_MOST_SAMPLES = 20_000_000
_MOST_TRACKS = 64
_BROKEN = "The film's tables contradict each other; it is left as it is."


@dataclass(frozen=True, slots=True)
class Chunks:
    """Runs of samples that lie together: first byte, first sample and number of samples."""

    offset: Numbers
    first: Numbers
    count: Numbers


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples in decoding order; `pts` is when each is shown, in the track's own units."""

    size: Numbers
    offset: Numbers
    pts: Numbers
    is_sync: NDArray[np.bool_]
    last_delta: int  # how long the last one lasts

    def __len__(self) -> int:
        return len(self.size)


@dataclass(frozen=True, slots=True)
class Track:
    """One track: the span of its `trak` box, its handler, and what its first entry is."""

    span: Span
    number: int
    handler: bytes
    timescale: int
    entry: Span  # the payload of the only sample entry
    entry_kind: bytes
    stbl: Span


@dataclass(frozen=True, slots=True)
class Movie:
    """A movie that is whole: its `moov`, the tracks in it, and the boxes around it."""

    data: Data
    moov: Span
    tracks: tuple[Track, ...]
    top: tuple[boxes.Box, ...]

    def picture(self) -> Track:
        """The track of the film: the largest that moves. Raises `DecodeFailed`."""
        films = [t for t in self.tracks if t.handler == b"vide" and _count(self.data, t) > 1]
        if not films:
            raise DecodeFailed("The film holds no moving picture.")
        return max(films, key=lambda track: _area(self.data, track))


def opened(data: Data) -> Movie | None:
    """The movie in `data`; None for what is no plain movie (fragmented, packed, encrypted)."""
    top = tuple(boxes.walk(data, 0, len(data)))
    moov = next(((start, end) for kind, start, end in top if kind == b"moov"), None)
    if moov is None or any(kind == b"moof" for kind, _, _ in top):
        return None
    parts = boxes.children(data, *moov)
    if b"mvex" in parts or b"cmov" in parts or b"mvhd" not in parts:
        return None
    spans = [(start, end) for kind, start, end in boxes.walk(data, *moov) if kind == b"trak"]
    tracks = [_track(data, span) for span in spans[:_MOST_TRACKS]]
    if len(spans) > _MOST_TRACKS or any(track is None for track in tracks):
        return None
    return Movie(data, moov, tuple(t for t in tracks if t is not None), top)


def _track(data: Data, trak: Span) -> Track | None:
    """None for a track whose samples are elsewhere, encrypted, or of more than one kind."""
    tkhd, mdia = boxes.find(data, trak, b"tkhd"), boxes.find(data, trak, b"mdia")
    mdhd, hdlr = boxes.find(data, mdia, b"mdhd"), boxes.find(data, mdia, b"hdlr")
    stbl = boxes.find(data, mdia, b"minf", b"stbl")
    stsd = boxes.find(data, stbl, b"stsd")
    if not (tkhd and mdhd and hdlr and stbl and stsd):
        return None
    entries = list(boxes.walk(data, stsd[0] + 8, stsd[1]))
    if len(entries) != 1 or entries[0][0] in (b"encv", b"enca") or _is_elsewhere(data, mdia):
        return None
    at = tkhd[0] + (20 if data[tkhd[0]] else 12)
    scale_at = mdhd[0] + (20 if data[mdhd[0]] else 12)
    return Track(
        span=trak,
        number=boxes.number(data, at, 4),
        handler=data[hdlr[0] + 8 : hdlr[0] + 12],
        timescale=boxes.number(data, scale_at, 4) or 1,
        entry=entries[0][1:],
        entry_kind=entries[0][0],
        stbl=stbl,
    )


def _is_elsewhere(data: Data, mdia: Span | None) -> bool:
    """Does a data reference name another file? (8.7.2: flag 1 means this one.)"""
    dref = boxes.find(data, mdia, b"minf", b"dinf", b"dref")
    if dref is None:
        return False
    flags = [boxes.number(data, at + 1, 3) for _, at, _ in boxes.walk(data, dref[0] + 8, dref[1])]
    return any(flag & 1 == 0 for flag in flags)


def _area(data: Data, track: Track) -> int:
    start = track.entry[0]
    return boxes.number(data, start + 24, 2) * boxes.number(data, start + 26, 2)


def _count(data: Data, track: Track) -> int:
    stsz = boxes.find(data, track.stbl, b"stsz") or boxes.find(data, track.stbl, b"stz2")
    return boxes.number(data, stsz[0] + 8, 4) if stsz else 0


def coded_size(movie: Movie, track: Track) -> tuple[int, int]:
    """Width and height of the picture as coded, before anything turns it."""
    start = track.entry[0]
    return boxes.number(movie.data, start + 24, 2), boxes.number(movie.data, start + 26, 2)


# --- Tables ---------------------------------------------------------------------------------------


def chunks(movie: Movie, track: Track) -> Chunks:
    """Where the chunks of a track begin. Raises `DecodeFailed`."""
    data = movie.data
    offsets = _offsets(data, track.stbl)
    stsc = boxes.find(data, track.stbl, b"stsc")
    if stsc is None:
        raise DecodeFailed(_BROKEN)
    rows = _table(data, stsc, 4, 3)
    counts = np.zeros(len(offsets), np.int64)
    for n, (first, per_chunk, _) in enumerate(rows.tolist()):
        last = int(rows[n + 1][0]) - 1 if n + 1 < len(rows) else len(offsets)
        counts[max(0, first - 1) : last] = per_chunk
    firsts = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(counts) else counts
    return Chunks(offsets, firsts.astype(np.int64), counts)


def _offsets(data: Data, stbl: Span) -> Numbers:
    wide = boxes.find(data, stbl, b"co64")
    narrow = boxes.find(data, stbl, b"stco")
    if wide is not None:
        return _column(data, wide, 4, ">i8")
    if narrow is None:
        raise DecodeFailed(_BROKEN)
    return _column(data, narrow, 4, ">u4")


def sizes(movie: Movie, track: Track) -> Numbers | None:
    """Bytes of each sample; None where all have one size, which old QuickTime files misstate."""
    stsz = boxes.find(movie.data, track.stbl, b"stsz")
    if stsz is None:
        raise DecodeFailed(_BROKEN)
    if boxes.number(movie.data, stsz[0] + 4, 4):
        return None
    return _column(movie.data, stsz, 8, ">u4")


def samples(movie: Movie, track: Track) -> Samples:
    """Every sample of a picture track. Raises `DecodeFailed` where the tables do not agree."""
    size = sizes(movie, track)
    if size is None:
        raise DecodeFailed(_BROKEN)
    dts, last_delta = _decode_times(movie.data, track.stbl, len(size))
    return Samples(
        size=size,
        offset=_sample_offsets(chunks(movie, track), size),
        pts=dts + _composition(movie.data, track.stbl, len(size)),
        is_sync=_sync(movie.data, track.stbl, len(size)),
        last_delta=last_delta,
    )


def _sample_offsets(where: Chunks, size: Numbers) -> Numbers:
    """Offset of the chunk, plus what lies before the sample inside it."""
    if int(where.count.sum()) != len(size):
        raise DecodeFailed(_BROKEN)
    before = np.cumsum(size) - size
    inside = where.count > 0
    starts = before[where.first[inside]]
    gaps = np.repeat(where.offset[inside] - starts, where.count[inside])
    return np.asarray(gaps + before, np.int64)


def _decode_times(data: Data, stbl: Span, count: int) -> tuple[Numbers, int]:
    stts = boxes.find(data, stbl, b"stts")
    if stts is None or count == 0:
        raise DecodeFailed(_BROKEN)
    deltas = _runs(_table(data, stts, 4, 2), count)
    return np.cumsum(deltas) - deltas, int(deltas[-1])


def _composition(data: Data, stbl: Span, count: int) -> Numbers:
    ctts = boxes.find(data, stbl, b"ctts")
    if ctts is None:
        return np.zeros(count, np.int64)
    shifts = _runs(_table(data, ctts, 4, 2), count)
    signed = shifts.astype(np.uint32).astype(np.int32)  # QuickTime's, and those of version 1
    return np.asarray(signed, np.int64)


def _sync(data: Data, stbl: Span, count: int) -> NDArray[np.bool_]:
    stss = boxes.find(data, stbl, b"stss")
    if stss is None:
        return np.ones(count, np.bool_)
    marks = np.zeros(count, np.bool_)
    numbers = _column(data, stss, 4, ">u4") - 1
    marks[numbers[(numbers >= 0) & (numbers < count)]] = True
    return marks


def _runs(rows: Numbers, count: int) -> Numbers:
    """Run lengths written out; they must add up to `count`."""
    if int(rows[:, 0].sum()) != count:
        raise DecodeFailed(_BROKEN)
    return np.asarray(np.repeat(rows[:, 1], rows[:, 0]), np.int64)


def _table(data: Data, span: Span, at: int, columns: int) -> Numbers:
    """A counted table of 32 bit numbers, `at` bytes into the box."""
    count = boxes.number(data, span[0] + at, 4)
    start = span[0] + at + 4
    end = start + 4 * columns * count
    if end > span[1] or count > _MOST_SAMPLES:
        raise DecodeFailed(_BROKEN)
    return _array(data[start:end], ">u4").reshape(count, columns)


def _column(data: Data, span: Span, at: int, kind: str) -> Numbers:
    count = boxes.number(data, span[0] + at, 4)
    start, width = span[0] + at + 4, 8 if kind.endswith("8") else 4
    if start + width * count > span[1] or count > _MOST_SAMPLES:
        raise DecodeFailed(_BROKEN)
    return _array(data[start : start + width * count], kind)


def _array(raw: Any, kind: str) -> Numbers:
    return np.asarray(np.frombuffer(raw, kind), np.int64)
