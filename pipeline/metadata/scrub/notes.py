"""Makers' notes: which go as a whole, which lose only what is private.

Nobody has described all of them, so one that may hold what is to go, goes. Apple's keeps the id
that pairs a Live Photo. A RAW file cannot be developed the same way without its camera's numbers,
so Canon's and Nikon's notes are edited there. Tags as exiftool names them.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import BadMedia
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.tiff import Entry, Tiff
from pipeline.metadata.write import block
from pipeline.metadata.write.patch import Patch

_APPLE = b"Apple iOS\0"
_APPLE_HEADER = 14
_APPLE_IDS = frozenset((0x0015, 0x0020, 0x002B))  # of the image, the request, the photo
# Makers whose notes are well known and hold no place, by how the note begins.
_WITHOUT_PLACE = (_APPLE, b"OLYMP", b"OM SYSTEM", b"FUJIFILM", b"SONY ")
_CANON, _NIKON = "Canon", b"Nikon\0\2"
_NIKON_HEADER = 10
# Owner, serials of body and lens, unique id, and the model's own tables that repeat them.
_CANON_OWNER = frozenset((0x0009, 0x000C, 0x000D, 0x0028, 0x0096, 0x4019))
_NIKON_PLACE = frozenset((0x0039, 0x0E01, 0x0E0E))  # location; what Nikon's programs keep there
_NIKON_OWNER = frozenset((0x001D, 0x0091, 0x0098, 0x00A0, 0x0E01, 0x0E0E))


def goes(tiff: Tiff, note: Entry, orders: Orders, *, is_raw: bool) -> bool:
    """Must the whole note go?"""
    head = _head(tiff, note)
    is_canon = _make(tiff).startswith(_CANON)
    if is_raw and (is_canon or _nikon(tiff, note) is not None):
        return False
    if orders.owner and not head.startswith(_APPLE):
        return True
    return orders.location and not (head.startswith(_WITHOUT_PLACE) or is_canon)


def patches(tiff: Tiff, note: Entry, orders: Orders, *, is_raw: bool) -> Iterator[Patch]:
    """What to overwrite in a note that stays."""
    if orders.owner and _head(tiff, note).startswith(_APPLE):
        yield from _apple(tiff, note)
    elif is_raw and _make(tiff).startswith(_CANON):
        at, _ = tiff.extent(note)
        tags = _CANON_OWNER if orders.owner else frozenset[int]()
        yield from block.directory(tiff, at - tiff.base, tags.__contains__)
    elif is_raw and (nikon := _nikon(tiff, note)) is not None:
        tags = _NIKON_PLACE if orders.location else frozenset[int]()
        tags |= _NIKON_OWNER if orders.owner else frozenset[int]()
        yield from block.directory(nikon, nikon.first, tags.__contains__)


def _apple(tiff: Tiff, entry: Entry) -> Iterator[Patch]:
    """Its offsets count from its start."""
    at, length = tiff.span(entry)
    note = tiff.data[at : at + length]
    if len(note) <= _APPLE_HEADER:
        return
    head = b"MM\0*\0\0\0\x0e" if note[12:14] == b"MM" else b"II*\0\x0e\0\0\0"
    inner = Tiff(head.ljust(_APPLE_HEADER, b"\0") + note[_APPLE_HEADER:])
    for patch in block.directory(inner, _APPLE_HEADER, lambda tag: tag in _APPLE_IDS):
        yield Patch(at + patch.start, at + patch.end, patch.data)


def _nikon(tiff: Tiff, note: Entry) -> Tiff | None:
    """The TIFF structure inside Nikon's note, where it is of the kind that has one."""
    at, length = tiff.extent(note)
    if not _head(tiff, note).startswith(_NIKON):
        return None
    try:
        return Tiff(tiff.data, at + _NIKON_HEADER, at + length)
    except BadMedia:
        return None


def _head(tiff: Tiff, note: Entry) -> bytes:
    at, length = tiff.extent(note)
    return tiff.data[at : at + min(length, 16)]


def _make(tiff: Tiff) -> str:
    main, _ = tiff.ifd(tiff.first)
    return tiff.text(main.get(0x010F)) or ""
