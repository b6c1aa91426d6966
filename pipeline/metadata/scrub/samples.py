"""The samples of one track: where its tables say they lie. ISO/IEC 14496-12, 8.7."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata import boxes
from pipeline.metadata.findings import Data
from pipeline.metadata.write.patch import Patch, zeroed

_MOST_SAMPLES = 2_000_000
_Span = tuple[int, int]


def blanked(data: Data, trak: _Span, film: int) -> Iterator[Patch]:
    """Zeros over every sample of the track at `trak`, whose film begins at `film`.

    Raises `Invalid` for impossible tables.
    """
    stbl = boxes.find(data, trak, b"mdia", b"minf", b"stbl")
    parts = boxes.children(data, *stbl) if stbl else {}
    chunks, sizes = _chunks(data, parts), _sizes(data, parts)
    if not chunks or not sizes:
        return
    at = 0
    for start, count in zip(chunks, _counts(data, parts, len(chunks)), strict=True):
        length = sum(sizes[at : at + count])
        at += count
        if film + start + length > len(data):
            raise Invalid("The tables of this film are damaged; it is left alone.")
        yield from zeroed(data, film + start, film + start + length)


def _chunks(data: Data, parts: dict[bytes, _Span]) -> list[int]:
    for kind, code in ((b"stco", "I"), (b"co64", "Q")):
        if kind in parts:
            return _table(data, parts[kind], 4, code)
    return []


def _sizes(data: Data, parts: dict[bytes, _Span]) -> list[int]:
    if b"stsz" not in parts:
        if b"stz2" in parts:
            raise Invalid("The tables of this film are of a kind that is not known here.")
        return []
    start, _ = parts[b"stsz"]
    same = boxes.number(data, start + 4, 4)
    if not same:
        return _table(data, parts[b"stsz"], 8, "I")
    return [same] * min(boxes.number(data, start + 8, 4), _MOST_SAMPLES)


def _counts(data: Data, parts: dict[bytes, _Span], chunks: int) -> list[int]:
    """Samples of each chunk, from runs of (first chunk, samples, description)."""
    span = parts.get(b"stsc")
    numbers = _table(data, span, 4, "III") if span else []
    runs = list(zip(numbers[::3], numbers[1::3], strict=True))
    counts: list[int] = []
    for (first, count), (following, _) in zip(runs, [*runs[1:], (chunks + 1, 0)], strict=True):
        counts += [count] * max(0, min(following, chunks + 1) - first)
    if len(counts) != chunks:
        raise Invalid("The tables of this film are damaged; it is left alone.")
    return counts


def _table(data: Data, span: _Span, head: int, codes: str) -> list[int]:
    """The numbers behind a count at `head`."""
    start, end = span
    row = struct.calcsize(">" + codes)
    count = min(boxes.number(data, start + head, 4), _MOST_SAMPLES)
    at = start + head + 4
    table = data[at : min(at + row * count, end)]
    table = table[: len(table) // row * row]
    return [number for numbers in struct.iter_unpack(">" + codes, table) for number in numbers]
