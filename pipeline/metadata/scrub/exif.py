"""EXIF blocks and TIFF files without what is private: entries leave, values are blanked.

Walks every directory: the main one and those behind it, Exif, GPS, sub-directories, and Apple's
maker note. Other makers' notes go as a whole where they may hold what is to go, because nobody has
described all of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.errors import BadMedia, Invalid
from pipeline.metadata import exif
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import iptc, names, xmp
from pipeline.metadata.scrub.wishes import Orders, rounded
from pipeline.metadata.tiff import Ifd, Tiff
from pipeline.metadata.write import block
from pipeline.metadata.write.patch import Patch, blank

_XMP, _IPTC, _PHOTOSHOP = 0x02BC, 0x83BB, 0x8649
_THUMBNAIL, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_MOST_IFDS = 64
_APPLE = b"Apple iOS\0"
_APPLE_HEADER = 14
_APPLE_IDS = frozenset((0x0015, 0x0020, 0x002B))  # of the image, the request, the photo
# Makers whose notes are well known and hold no place, by how the note begins.
_WITHOUT_PLACE = (_APPLE, b"OLYMP", b"OM SYSTEM", b"FUJIFILM", b"SONY ")
_CANON = b"Canon"


def patches(data: Data, orders: Orders, start: int = 0, end: int | None = None) -> Iterator[Patch]:
    """What to overwrite in the TIFF structure from `start` to `end`.

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
    yield from _Walk(tiff, orders).patches()


class _Walk:
    """One pass over all directories, each of them once."""

    def __init__(self, tiff: Tiff, orders: Orders) -> None:
        self.tiff, self.orders = tiff, orders
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
            return self._note_goes(entries)
        return names.is_private_tag(tag, self.orders)

    def _below(self, entries: Ifd) -> Iterator[Patch]:
        for tag in (exif.EXIF, block.INTEROP):
            yield from self._directory(self.tiff.integer(entries.get(tag)) or 0)
        for offset in self.tiff.numbers(entries.get(block.SUB_IFDS), _MOST_IFDS):
            yield from self._directory(int(offset))
        if self.orders.location and names.GPS_IFD in entries:
            yield from self._gps(entries)

    def _blocks(self, entries: Ifd) -> Iterator[Patch]:
        """Whole blocks of other kinds inside values, and Apple's note."""
        from pipeline.metadata.scrub import jpeg

        at, length = self.tiff.span(entries.get(_XMP))
        if length:
            old = self.tiff.data[at : at + length]
            yield Patch(at, at + length, xmp.scrubbed(old, self.orders, length=length))
        at, length = self.tiff.span(entries.get(_IPTC))
        if length:
            yield from iptc.patches(self.tiff.data, at, at + length, self.orders)
        at, length = self.tiff.span(entries.get(_PHOTOSHOP))
        if length:
            yield from iptc.resource_patches(self.tiff.data, at, at + length, self.orders)
        if block.MAKER_NOTE in entries and self.orders.owner:
            yield from self._apple(entries)
        at = self.tiff.base + (self.tiff.integer(entries.get(_THUMBNAIL)) or 0)
        length = self.tiff.integer(entries.get(_THUMBNAIL_LENGTH)) or 0
        if self.tiff.data[at : at + 3] == b"\xff\xd8\xff" and at + length <= self.tiff.end:
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

    # --- Maker notes ----------------------------------------------------------------------------

    def _note_goes(self, entries: Ifd) -> bool:
        at, length = self.tiff.span(entries[block.MAKER_NOTE])
        head = self.tiff.data[at : at + min(length, 16)]
        if self.orders.owner and not head.startswith(_APPLE):
            return True
        main, _ = self.tiff.ifd(self.tiff.first)
        is_canon = (self.tiff.text(main.get(0x010F)) or "").startswith(_CANON.decode())
        is_known = head.startswith(_WITHOUT_PLACE) or is_canon
        return self.orders.location and not is_known

    def _apple(self, entries: Ifd) -> Iterator[Patch]:
        """Apple's note keeps the pairing and loses its ids; its offsets count from its start."""
        at, length = self.tiff.span(entries[block.MAKER_NOTE])
        note = self.tiff.data[at : at + length]
        if not note.startswith(_APPLE) or len(note) <= _APPLE_HEADER:
            return
        head = b"MM\0*\0\0\0\x0e" if note[12:14] == b"MM" else b"II*\0\x0e\0\0\0"
        inner = Tiff(head.ljust(_APPLE_HEADER, b"\0") + note[_APPLE_HEADER:])
        for patch in block.directory(inner, _APPLE_HEADER, lambda tag: tag in _APPLE_IDS):
            yield Patch(at + patch.start, at + patch.end, patch.data)


def _degrees(tiff: Tiff, value: float) -> bytes:
    """Degrees, minutes and ten-thousandths of seconds."""
    left = round(abs(value) * 3600 * 10_000)
    degrees, left = divmod(left, 3600 * 10_000)
    minutes, seconds = divmod(left, 60 * 10_000)
    return struct.pack(tiff.order + "6I", degrees, 1, minutes, 1, seconds, 10_000)
