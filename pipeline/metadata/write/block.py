"""EXIF blocks changed in place: entries leave their directory, values are overwritten, and nothing
moves, so that every offset stays right, those inside undocumented maker notes included.

TIFF 6.0. Answers patches with absolute positions; the block may be part of a larger file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.metadata.exif import EXIF
from pipeline.metadata.tiff import Entry, Ifd, Tiff, value_size
from pipeline.metadata.write.patch import Patch, blank

INTEROP, SUB_IFDS = 0xA005, 0x014A
ORIENTATION, MAKER_NOTE = 0x0112, 0x927C
_THUMBNAIL, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_MOST_ENTRIES = 2000
_CODES = {1: "B", 3: "H", 4: "I"}


def directory(
    tiff: Tiff,
    offset: int,
    drop: Callable[[int], bool],
    values: Mapping[int, bytes] | None = None,
    *,
    is_last: bool = False,
) -> Iterator[Patch]:
    """Take entries out of the directory at `offset` and blank their values; give others new
    `values`, which must be as long as the old ones. `is_last` cuts the link to the next one.
    """
    rows, following = _rows(tiff, offset)
    kept = [row for row in rows if not drop(row.tag)]
    for row in rows:
        if row.entry and drop(row.tag):
            yield from blanked(tiff, row.entry)
    if len(kept) < len(rows) or (is_last and following):
        yield _table(tiff, offset, len(rows), kept, 0 if is_last else following)
    at = tiff.base + offset + 2
    for row in kept:
        value = (values or {}).get(row.tag)
        if value and row.entry:
            start, length = tiff.span(row.entry)
            start = at + 8 if row.entry[2] > 0 else start
            if start and length == len(value):
                yield Patch(start, start + length, value)
        at += 12


def everything(tiff: Tiff, offset: int) -> Iterator[Patch]:
    """Blank a directory with all its values."""
    rows, _ = _rows(tiff, offset)
    for row in rows:
        if row.entry:
            yield from blanked(tiff, row.entry)
    if rows:
        start = tiff.base + offset
        yield blank(start, min(start + 2 + 12 * len(rows) + 4, tiff.end))


def blanked(tiff: Tiff, entry: Entry) -> Iterator[Patch]:
    """Blank a value that lies outside of its directory."""
    at, length = tiff.extent(entry)
    if entry[2] < 0 and at > 0 and length:
        yield blank(at, min(at + length, tiff.end))


def integer(tiff: Tiff, entry: Entry, number: int) -> bytes | None:
    """`number` as the value of `entry`, in its own type; None where it does not fit."""
    code = _CODES.get(entry[0])
    if code is None or entry[1] != 1:
        return None
    return struct.pack(tiff.order + code, min(number, (1 << 8 * struct.calcsize(code)) - 1))


def for_copy(
    exif: bytes, orientation: int | None, size: tuple[int, int] | None, *, is_srgb: bool
) -> bytes:
    """An original's EXIF block as a re-encoded copy should carry it.

    Without the thumbnail, which shows the original, and with the copy's `orientation`, its `size`
    and its colour space; None leaves what stands there. Raises `BadMedia` if it is no EXIF.
    """
    tiff = Tiff(exif)
    main, following = tiff.ifd(tiff.first)
    patches = list(
        directory(tiff, tiff.first, _never, _main_values(tiff, main, orientation), is_last=True)
    )
    exif_at = tiff.integer(main.get(EXIF)) or 0
    if exif_at:
        values = _exif_values(tiff, tiff.ifd(exif_at)[0], size, is_srgb)
        patches += directory(tiff, exif_at, _never, values)
    ends = len(exif)
    if following:
        thumbnail, length = _thumbnail(tiff, following)
        patches += everything(tiff, following)
        if thumbnail and length:
            patches.append(blank(thumbnail, min(thumbnail + length, ends)))
            ends = thumbnail if thumbnail + length >= ends - 16 else ends
    out = bytearray(exif)
    for patch in patches:
        out[patch.start : patch.end] = patch.data
    return bytes(out[:ends])


def _main_values(tiff: Tiff, main: Ifd, orientation: int | None) -> dict[int, bytes]:
    entry = main.get(ORIENTATION)
    value = integer(tiff, entry, orientation) if entry and orientation else None
    return {ORIENTATION: value} if value else {}


def _exif_values(
    tiff: Tiff, exif: Ifd, size: tuple[int, int] | None, is_srgb: bool
) -> dict[int, bytes]:
    wanted = {0xA002: size[0], 0xA003: size[1]} if size else {}
    if is_srgb:
        wanted[0xA001] = 1
    values = {tag: integer(tiff, exif[tag], n) for tag, n in wanted.items() if tag in exif}
    return {tag: value for tag, value in values.items() if value}


def _thumbnail(tiff: Tiff, offset: int) -> tuple[int, int]:
    entries, _ = tiff.ifd(offset)
    at = tiff.integer(entries.get(_THUMBNAIL)) or 0
    return at, tiff.integer(entries.get(_THUMBNAIL_LENGTH)) or 0


def _never(_: int) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Row:
    """One entry as it is stored; `entry` is None where its type is unknown."""

    tag: int
    stored: bytes
    entry: Entry | None


def _rows(tiff: Tiff, offset: int) -> tuple[list[_Row], int]:
    """The entries of a directory in order, and the offset of the next directory."""
    _, following = tiff.ifd(offset)
    start = tiff.base + offset
    head = tiff.data[start : start + 2]
    if offset <= 0 or len(head) < 2 or start + 2 > tiff.end:
        return [], 0
    count = struct.unpack(tiff.order + "H", head)[0]
    if count > _MOST_ENTRIES:
        return [], 0
    block = tiff.data[start + 2 : min(start + 2 + 12 * count, tiff.end)]
    rows = []
    for at in range(0, len(block) - 11, 12):
        tag, kind, number = struct.unpack_from(tiff.order + "HHI", block, at)
        is_inline = value_size(kind) * number <= 4
        value_at = start + 2 + at + 8
        entry = (kind, number, value_at if is_inline else -value_at) if value_size(kind) else None
        rows.append(_Row(tag, block[at : at + 12], entry))
    return rows, following


def _table(tiff: Tiff, offset: int, count: int, kept: list[_Row], following: int) -> Patch:
    start = tiff.base + offset
    end = min(start + 2 + 12 * count + 4, tiff.end)
    head = struct.pack(tiff.order + "H", len(kept))
    link = struct.pack(tiff.order + "I", following)
    table = head + b"".join(row.stored for row in kept) + link
    return Patch(start, end, table.ljust(end - start, b"\0")[: end - start])
