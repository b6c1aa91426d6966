"""EXIF blocks and TIFF files without what is private: entries leave, values are blanked.

Walks every directory: the main one and those behind it, Exif, GPS, sub-directories, makers' notes
(`notes.py`); pictures that are stored as JPEGs have metadata of their own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.errors import BadMedia, Invalid
from pipeline.metadata import exif
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import iptc, names, notes, xmp
from pipeline.metadata.scrub.wishes import Orders, rounded
from pipeline.metadata.tiff import Ifd, Tiff
from pipeline.metadata.write import block
from pipeline.metadata.write.patch import Patch, blank

_XMP, _IPTC, _PHOTOSHOP = 0x02BC, 0x83BB, 0x8649
_THUMBNAIL, _THUMBNAIL_LENGTH = 0x0201, 0x0202
# Where the parts of a picture begin and how long they are: strips, tiles; a RAW's own preview.
_PARTS = ((0x0111, 0x0117), (0x0144, 0x0145))
_PREVIEW = 0x002E
_MOST_IFDS, _MOST_PARTS = 64, 1 << 16
_JPEG = b"\xff\xd8\xff"


def patches(
    data: Data, orders: Orders, start: int = 0, end: int | None = None, *, is_raw: bool = False
) -> Iterator[Patch]:
    """What to overwrite in the TIFF structure from `start` to `end`, or in a RAW file built so.

    Raises `Invalid` for BigTIFF; a block that is none is blanked as a whole.
    """
    stop = len(data) if end is None else end
    try:
        tiff = Tiff(data, start, stop)
    except BadMedia:
        yield blank(start, stop)
        return
    if tiff.is_big:
        raise Invalid("Pictures of this size (BigTIFF) cannot be scrubbed yet.")
    yield from _Walk(tiff, orders, is_raw=is_raw).patches()


def raw(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in a RAW file that is built like a TIFF."""
    return patches(data, orders, is_raw=True)


class _Walk:
    """One pass over all directories, each of them once."""

    def __init__(self, tiff: Tiff, orders: Orders, *, is_raw: bool) -> None:
        self.tiff, self.orders, self.is_raw = tiff, orders, is_raw
        self._seen: set[int] = set()

    def patches(self) -> Iterator[Patch]:
        offset = self.tiff.first
        while offset and offset not in self._seen and len(self._seen) < _MOST_IFDS:
            _, following = self.tiff.ifd(offset)
            yield from self._directory(offset)
            offset = following

    def _directory(self, offset: int) -> Iterator[Patch]:
        if not offset or offset in self._seen or len(self._seen) >= _MOST_IFDS:
            return
        self._seen.add(offset)
        entries, _ = self.tiff.ifd(offset)
        yield from self._blocks(entries)
        yield from self._below(entries)
        yield from block.directory(self.tiff, offset, lambda tag: self._goes(tag, entries))

    def _goes(self, tag: int, entries: Ifd) -> bool:
        if tag == names.GPS_IFD:
            return self.orders.location and self._grid(entries) is None
        if tag == block.MAKER_NOTE and tag in entries:
            return notes.goes(self.tiff, entries[tag], self.orders, is_raw=self.is_raw)
        return names.is_private_tag(tag, self.orders)

    def _below(self, entries: Ifd) -> Iterator[Patch]:
        for tag in (exif.EXIF, block.INTEROP):
            yield from self._directory(self.tiff.integer(entries.get(tag)) or 0)
        for offset in self.tiff.numbers(entries.get(block.SUB_IFDS), _MOST_IFDS):
            yield from self._directory(int(offset))
        if self.orders.location and names.GPS_IFD in entries:
            yield from self._gps(entries)

    def _blocks(self, entries: Ifd) -> Iterator[Patch]:
        """Whole blocks of other kinds inside values, and makers' notes."""
        at, length = self.tiff.extent(entries.get(_XMP))
        if length:
            old = self.tiff.data[at : at + length]
            yield Patch(at, at + length, xmp.scrubbed(old, self.orders, length=length))
        at, length = self.tiff.extent(entries.get(_IPTC))
        if length:
            yield from iptc.patches(self.tiff.data, at, at + length, self.orders)
        at, length = self.tiff.extent(entries.get(_PHOTOSHOP))
        if length:
            yield from iptc.resource_patches(self.tiff.data, at, at + length, self.orders)
        note = entries.get(block.MAKER_NOTE)
        if note is not None and not self._goes(block.MAKER_NOTE, entries):
            yield from notes.patches(self.tiff, note, self.orders, is_raw=self.is_raw)
        for at, length in self._pictures(entries):
            yield from self._picture(at, length)

    def _pictures(self, entries: Ifd) -> Iterator[tuple[int, int]]:
        """Where pictures may lie as JPEGs of their own, as (start, length)."""
        pairs = [(_THUMBNAIL, _THUMBNAIL_LENGTH), *_PARTS]
        for starts, lengths in pairs:
            found = self.tiff.numbers(entries.get(starts), _MOST_PARTS)
            sizes = self.tiff.numbers(entries.get(lengths), _MOST_PARTS)
            for at, length in zip(found, sizes, strict=False):
                yield self.tiff.base + int(at), int(length)
        if self.is_raw:
            yield self.tiff.extent(entries.get(_PREVIEW))

    def _picture(self, at: int, length: int) -> Iterator[Patch]:
        from pipeline.metadata.scrub import jpeg

        if self.tiff.data[at : at + 3] == _JPEG and at + length <= self.tiff.end:
            yield from jpeg.head_patches(self.tiff.data, at, at + length, self.orders)

    # --- Position -------------------------------------------------------------------------------

    def _gps(self, entries: Ifd) -> Iterator[Patch]:
        offset = self.tiff.integer(entries[names.GPS_IFD]) or 0
        if offset in self._seen:
            return
        self._seen.add(offset)
        grid = self._grid(entries)
        if grid is None:
            yield from block.everything(self.tiff, offset)
            return
        gps, _ = self.tiff.ifd(offset)
        values = {
            2: _degrees(self.tiff, grid[0]),
            4: _degrees(self.tiff, grid[1]),
            1: (b"S" if grid[0] < 0 else b"N").ljust(self._length(gps, 1), b"\0"),
            3: (b"W" if grid[1] < 0 else b"E").ljust(self._length(gps, 3), b"\0"),
        }
        kept = names.GPS_KEPT_WHEN_ROUNDED
        yield from block.directory(self.tiff, offset, lambda tag: tag not in kept, values)

    def _length(self, gps: Ifd, tag: int) -> int:
        return self.tiff.span(gps.get(tag))[1]

    def _grid(self, entries: Ifd) -> tuple[float, float] | None:
        """The rounded position; None where there is none that can be rounded in its place."""
        offset = self.tiff.integer(entries.get(names.GPS_IFD)) or 0
        gps, _ = self.tiff.ifd(offset)
        is_usual = all(gps.get(tag, (0, 0, 0))[:2] == (5, 3) for tag in (2, 4))
        has_sides = all(self._length(gps, tag) >= 2 for tag in (1, 3))
        place = exif.coordinates(self.tiff, gps)
        if self.orders.grid_km is None or place is None or not (is_usual and has_sides):
            return None
        return rounded(*place, self.orders.grid_km)


def _degrees(tiff: Tiff, value: float) -> bytes:
    """Degrees, minutes and ten-thousandths of seconds."""
    left = round(abs(value) * 3600 * 10_000)
    degrees, left = divmod(left, 3600 * 10_000)
    minutes, seconds = divmod(left, 60 * 10_000)
    return struct.pack(tiff.order + "6I", degrees, 1, minutes, 1, seconds, 10_000)
