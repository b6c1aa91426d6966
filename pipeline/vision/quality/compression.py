"""How strongly a JPEG was compressed, read from its own tables: exact, and without its pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# The luminance table of the JPEG standard (Annex K); nearly every encoder scales this one.
_STANDARD = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_FINEST = (16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24)  # its first in zigzag order
_CUT = 255
_TABLES, _SCAN, _MOST_HEAD = 0xDB, 0xDA, 1 << 20
_SEEN_FROM, _SPOILT_AT = 85.0, 15.0  # qualities between which the eye sees it more and more


def jpeg_quality(data: bytes) -> float | None:
    """The quality, 1..100 as libjpeg counts, that wrote this JPEG; None where it has no tables."""
    table = next((content for number, content in _tables(data) if number == 0), None)
    if table is None:
        return None
    is_cut = max(table) == _CUT  # at low qualities the coarsest steps are all cut to this
    ours, standard = (table[:15], _FINEST) if is_cut else (table, _STANDARD)
    scale = 100 * sum(ours) / sum(standard)
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return min(100.0, max(1.0, quality))


def undamaged(quality: float, shrunk: float) -> float:
    """0..1: how little is seen of it in a picture shown `shrunk` times smaller than it is."""
    lost = (_SEEN_FROM - quality) / (_SEEN_FROM - _SPOILT_AT)
    return 1 - min(1.0, max(0.0, lost)) / max(1.0, shrunk)


def _tables(data: bytes) -> Iterator[tuple[int, list[int]]]:
    """Each quantisation table before the first scan: its number and its 64 values, zigzag."""
    at, end = 2, min(len(data), _MOST_HEAD)
    while at + 4 <= end and data[at] == 0xFF and data[at + 1] != _SCAN:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == _TABLES:
            yield from _in_segment(data[at + 4 : at + 2 + length])
        at += 2 + max(2, length)


def _in_segment(segment: bytes) -> Iterator[tuple[int, list[int]]]:
    while len(segment) >= 65:
        is_wide, number = segment[0] >> 4, segment[0] & 15
        size = 2 if is_wide else 1
        values, segment = segment[1 : 1 + 64 * size], segment[1 + 64 * size :]
        if len(values) == 64 * size:
            yield number, np.frombuffer(values, ">u2" if is_wide else "u1").tolist()
