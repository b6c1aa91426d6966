"""The tables of times and marks that a newly coded picture track brings along.

ISO/IEC 14496-12, 8.6. Pictures keep the times they had; decoding begins earlier where their order
demands it, and edit lists are moved by as much.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.transcode_movie import Numbers, Span
from pipeline.metadata import boxes
from pipeline.metadata.findings import Data

_WIDE = 1 << 32


def box(kind: bytes, payload: bytes) -> bytes:
    """A box with its header."""
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


@dataclass(frozen=True, slots=True)
class Times:
    """`tables` are `stts` and `ctts`; `duration` is the media's.

    `shift` is how much later everything stands in the new media, which edit lists undo.
    """

    tables: bytes
    shift: int
    duration: int


def times_of(pts: Numbers, last_delta: int) -> Times:
    """Decoding begins as long before showing as the order of the pictures demands.

    `last_delta` is how long the last picture lasts.
    """
    shown = np.sort(pts)
    delay = max(int((shown - pts).max(initial=0)), int(shown[0]))
    shift = delay - int(shown[0])
    dts = shown - int(shown[0])
    deltas = np.append(np.diff(dts), max(1, last_delta))
    tables = box(b"stts", _run_table(deltas))
    waits = pts + shift - dts
    if waits.any():
        tables += box(b"ctts", _run_table(waits))
    return Times(tables, shift, int(deltas.sum()))


def _run_table(values: Numbers) -> bytes:
    """(count, value) pairs in a full box of version 0."""
    edges = np.flatnonzero(np.diff(values)) + 1
    starts = np.concatenate(([0], edges))
    counts = np.diff(np.append(starts, len(values)))
    rows = np.column_stack((counts, values[starts]))
    return struct.pack(">II", 0, len(rows)) + u4(rows)


def sync_table(is_sync: NDArray[np.bool_]) -> bytes:
    """`stss`; nothing where every picture can be decoded alone."""
    if is_sync.all():
        return b""
    numbers = np.flatnonzero(is_sync) + 1
    return box(b"stss", struct.pack(">II", 0, len(numbers)) + u4(numbers))


def u4(values: Numbers) -> bytes:
    """Numbers as tables hold them: 32 bits, high byte first."""
    return values.astype(">u4").tobytes()


def fuller(data: Data, span: Span, per: int) -> bytes:
    """The payload of `stsc` (8.7.4) where every sample became `per` of them."""
    table = bytearray(data[span[0] : span[1]])
    for at in range(8, len(table) - 11, 12):
        (count,) = struct.unpack_from(">I", table, at + 4)
        struct.pack_into(">I", table, at + 4, count * per)
    return bytes(table)


def longer(data: Data, span: Span, duration: int, per: int) -> bytes:
    """`mdhd` with another duration, in units `per` times as fine."""
    header = bytearray(data[span[0] : span[1]])
    at = 20 if header[0] == 1 else 12
    (scale,) = struct.unpack_from(">I", header, at)
    struct.pack_into(">I", header, at, scale * per)
    if header[0] == 1:
        struct.pack_into(">Q", header, 24, duration)
    else:
        struct.pack_into(">I", header, 16, min(duration, _WIDE - 1))
    return box(b"mdhd", bytes(header))


def later(data: Data, span: Span, shift: int, per: int) -> bytes:
    """`elst` (8.6.6) for media that begins `shift` units later, in units `per` times as fine;
    empty edits (-1) stay.
    """
    table = bytearray(data[span[0] : span[1]])
    is_wide = table[0] == 1
    form, step, at = (">q", 20, 16) if is_wide else (">i", 12, 12)
    for n in range(min(struct.unpack_from(">I", table, 4)[0], (len(table) - 8) // step)):
        (start,) = struct.unpack_from(form, table, at + n * step)
        if start >= 0:
            struct.pack_into(form, table, at + n * step, start * per + shift)
    return box(b"elst", bytes(table))


def new_edits(data: Data, tkhd: Span, shift: int) -> bytes:
    """`edts` for a track that had none, which hides what `shift` put in front."""
    is_wide = data[tkhd[0]] == 1
    at = tkhd[0] + (28 if is_wide else 20)
    length = boxes.number(data, at, 8 if is_wide else 4)
    return box(b"edts", box(b"elst", struct.pack(">IIQqI", 1 << 24, 1, length, shift, 1 << 16)))
