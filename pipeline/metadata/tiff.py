"""The structure of TIFF: directories of tagged values, as used by EXIF and by most RAW files.

Only directories that are asked for are read, only values that are asked for are decoded, and both
are bounded: offsets may point anywhere, counts may be anything. TIFF 6.0, and BigTIFF's layout.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.errors import BadMedia
from pipeline.metadata.findings import Data

Entry = tuple[int, int, int]  # type, count, absolute position of the value
Ifd = dict[int, Entry]

_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # bytes a value, by type
_FORMATS = " BBHI bBhi fdI  QqQ"  # struct codes by type; rationals are read as pairs
_MOST_ENTRIES = 2000
_LONGEST_VALUE = 1 << 22
_MOST_IFDS = 1000
_MAGICS = {42: False, 43: True, 0x55: False, 0x4F52: False, 0x5352: False}  # value: is it BigTIFF?


class Tiff:
    """One TIFF structure inside `data`, beginning at `base`; its offsets count from there."""

    def __init__(self, data: Data, base: int = 0, end: int | None = None) -> None:
        head = data[base : base + 16]
        if len(head) < 8 or head[:2] not in (b"II", b"MM"):
            raise BadMedia("The EXIF block does not begin as one.")
        self.order = "<" if head[:2] == b"II" else ">"
        magic = struct.unpack_from(self.order + "H", head, 2)[0]
        if magic not in _MAGICS:
            raise BadMedia("The EXIF block does not begin as one.")
        self.is_big = _MAGICS[magic] and len(head) == 16
        self.data, self.base = data, base
        self.end = len(data) if end is None else min(end, len(data))
        layout = (self.order + "Q", 8) if self.is_big else (self.order + "I", 4)
        self.first = int(struct.unpack_from(layout[0], head, layout[1])[0])

    def ifd(self, offset: int) -> tuple[Ifd, int]:
        """The directory at `offset` and the offset of the next one; empty where there is none."""
        count_size, entry_size, layout = (8, 20, "HHQ8x") if self.is_big else (2, 12, "HHI4x")
        start = self.base + offset
        count = self._unpack("Q" if self.is_big else "H", start)
        if offset <= 0 or count is None or count > _MOST_ENTRIES:
            return {}, 0
        start += count_size
        block = self.data[start : min(start + count * entry_size, self.end)]
        block = block[: len(block) // entry_size * entry_size]
        entries: Ifd = {}
        inline, value_at = (8, 12) if self.is_big else (4, 8)
        at = start + value_at
        for tag, kind, number in struct.iter_unpack(self.order + layout, block):
            if 0 < kind < len(_SIZES) and tag not in entries:
                entries[tag] = (kind, number, at if _SIZES[kind] * number <= inline else -at)
            at += entry_size
        following = self._unpack("Q" if self.is_big else "I", start + count * entry_size)
        return entries, following or 0

    def chain(self) -> Iterator[Ifd]:
        """The directories that follow each other from the first one on; loops end."""
        seen: set[int] = set()
        offset = self.first
        while 0 < offset < self.end and offset not in seen and len(seen) < _MOST_IFDS:
            seen.add(offset)
            entries, offset = self.ifd(offset)
            yield entries

    def raw(self, entry: Entry | None) -> bytes:
        """The bytes of a value; empty if it is absent, too long or outside of the file."""
        start, length = self.span(entry)
        return self.data[start : start + length]

    def span(self, entry: Entry | None) -> tuple[int, int]:
        """Where in `data` the bytes of a value lie, as (start, length); (0, 0) if nowhere."""
        if entry is None or _SIZES[entry[0]] * entry[1] > _LONGEST_VALUE:
            return 0, 0
        return self.extent(entry)

    def extent(self, entry: Entry | None) -> tuple[int, int]:
        """As `span`, for a value of any length."""
        if entry is None:
            return 0, 0
        kind, count, at = entry
        length = _SIZES[kind] * count
        if at < 0:
            pointer = self._unpack("Q" if self.is_big else "I", -at)
            at = self.base + pointer if pointer else 0
        if at <= 0 or at >= self.end:
            return 0, 0
        return at, min(length, self.end - at)

    def text(self, entry: Entry | None) -> str | None:
        """A text value up to its first NUL; UTF-8 where it is, else Latin-1."""
        value = self.raw(entry)
        if not value:
            return None
        value = value.partition(b"\0")[0].strip()
        try:
            return value.decode() or None
        except UnicodeDecodeError:
            return value.decode("latin-1")

    def integer(self, entry: Entry | None) -> int | None:
        """The first of a value's integers."""
        numbers = self.numbers(entry, 1)
        return int(numbers[0]) if numbers else None

    def numbers(self, entry: Entry | None, most: int = 16) -> tuple[float, ...]:
        """A value's numbers; a rational over 0 is not a number and comes as nan."""
        if entry is None or entry[0] == 2:
            return ()
        kind = entry[0]
        value = self.raw(entry)
        if kind in (5, 10):
            count = min(len(value) // 8, most)
            code = "I" if kind == 5 else "i"
            parts = struct.unpack_from(f"{self.order}{2 * count}{code}", value)
            return tuple(_ratio(n, d) for n, d in zip(parts[::2], parts[1::2], strict=True))
        count = min(len(value) // _SIZES[kind], most)
        return struct.unpack_from(f"{self.order}{count}{_FORMATS[kind]}", value)

    def _unpack(self, code: str, at: int) -> int | None:
        size = 8 if code == "Q" else 4 if code == "I" else 2
        if at < 0 or at + size > self.end:
            return None
        return int(struct.unpack(self.order + code, self.data[at : at + size])[0])


def value_size(kind: int) -> int:
    """Bytes of one value of a type; 0 for types that do not exist."""
    return _SIZES[kind] if 0 < kind < len(_SIZES) else 0


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else float("nan")
