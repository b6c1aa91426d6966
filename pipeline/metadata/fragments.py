"""How long a fragmented MP4 is: its own word for it, its index, or the sum of its samples.

ISO/IEC 14496-12, 8.8 and 8.16.3. Only tables are read, each of them bounded.
"""

from __future__ import annotations

import struct

from pipeline.metadata import boxes
from pipeline.metadata.findings import Data

_Span = tuple[int, int]
_MOST_FRAGMENTS = 5000


def duration_s(data: Data, moov: _Span) -> float | None:
    """Seconds, or None for a movie that is not fragmented or does not tell."""
    mvex = boxes.find(data, moov, b"mvex")
    if mvex is None:
        return None
    return _told(data, moov, mvex) or _indexed(data) or _summed(data, moov, mvex)


def _told(data: Data, moov: _Span, mvex: _Span) -> float | None:
    mehd, mvhd = boxes.find(data, mvex, b"mehd"), boxes.find(data, moov, b"mvhd")
    if mehd is None or mvhd is None:
        return None
    timescale = boxes.number(data, mvhd[0] + (20 if boxes.number(data, mvhd[0], 1) else 12), 4)
    wide = 8 if boxes.number(data, mehd[0], 1) else 4
    return boxes.number(data, mehd[0] + 4, wide) / timescale if timescale else None


def _indexed(data: Data) -> float | None:
    """The segment index: durations of its references over its own units a second."""
    sidx = boxes.find(data, (0, len(data)), b"sidx")
    if sidx is None:
        return None
    start, end = sidx
    timescale = boxes.number(data, start + 8, 4)
    at = start + (28 if boxes.number(data, start, 1) else 20)
    count = boxes.number(data, at + 2, 2)
    table = data[at + 4 : min(at + 4 + 12 * count, end)]
    total = sum(int.from_bytes(table[n + 4 : n + 8], "big") for n in range(0, len(table) - 11, 12))
    return total / timescale if timescale else None


def _summed(data: Data, moov: _Span, mvex: _Span) -> float | None:
    """The longest track's samples, added up over all fragments."""
    scales, defaults = _timescales(data, moov), _defaults(data, mvex)
    totals: dict[int, int] = {}
    fragments = 0
    for kind, start, end in boxes.walk(data, 0, len(data)):
        fragments += kind == b"moof"
        if kind != b"moof" or fragments > _MOST_FRAGMENTS:
            continue
        for part, at, after in boxes.walk(data, start, end):
            if part == b"traf":
                track, ticks = _fragment(data, (at, after), defaults)
                totals[track] = totals.get(track, 0) + ticks
    return max((n / scales[t] for t, n in totals.items() if scales.get(t)), default=None)


def _timescales(data: Data, moov: _Span) -> dict[int, int]:
    found: dict[int, int] = {}
    for kind, start, end in boxes.walk(data, *moov):
        tkhd = boxes.find(data, (start, end), b"tkhd") if kind == b"trak" else None
        mdhd = boxes.find(data, (start, end), b"mdia", b"mdhd") if tkhd else None
        if tkhd and mdhd:
            track = boxes.number(data, tkhd[0] + (20 if boxes.number(data, tkhd[0], 1) else 12), 4)
            at = mdhd[0] + (20 if boxes.number(data, mdhd[0], 1) else 12)
            found[track] = boxes.number(data, at, 4)
    return found


def _defaults(data: Data, mvex: _Span) -> dict[int, int]:
    """A sample's duration by track, where fragments do not say another."""
    return {
        boxes.number(data, start + 4, 4): boxes.number(data, start + 12, 4)
        for kind, start, _ in boxes.walk(data, *mvex)
        if kind == b"trex"
    }


def _fragment(data: Data, traf: _Span, defaults: dict[int, int]) -> tuple[int, int]:
    """Track and summed duration of one track's share of a fragment."""
    tfhd = boxes.find(data, traf, b"tfhd")
    if tfhd is None:
        return 0, 0
    flags, track = boxes.number(data, tfhd[0] + 1, 3), boxes.number(data, tfhd[0] + 4, 4)
    default = defaults.get(track, 0)
    if flags & 0x8:
        at = tfhd[0] + 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
        default = boxes.number(data, at, 4)
    runs = (run for run in boxes.walk(data, *traf) if run[0] == b"trun")
    return track, sum(_run(data, start, end, default) for _, start, end in runs)


def _run(data: Data, start: int, end: int, default: int) -> int:
    flags, count = boxes.number(data, start + 1, 3), boxes.number(data, start + 4, 4)
    if not flags & 0x100:
        return count * default
    at = start + 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    entry = 4 * (flags >> 8 & 0xF).bit_count()
    table = data[at : min(at + count * entry, end)]
    table = table[: len(table) // entry * entry]
    return sum(first for (first,) in struct.iter_unpack(f">I{entry - 4}x", table))
