"""HEIF's and AVIF's way to carry metadata: items beside the picture. ISO/IEC 23008-12, annex A.

New items lie in a box of their own at the end of the file; the tables in `meta` grow, so that every
place they name moves along. A profile is a property that the encoder writes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pipeline.errors import DecodeFailed, Invalid
from pipeline.metadata import boxes, heif
from pipeline.metadata.findings import Data
from pipeline.metadata.write.blocks import Blocks

_LONGEST = 64 << 20
_XMP_TYPE = b"application/rdf+xml"
_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its type, its content type, and where its pieces lie (offset, length)."""

    number: int
    kind: bytes
    content_type: bytes
    pieces: tuple[tuple[int, int], ...]

    @property
    def is_xmp(self) -> bool:
        """True for an XMP packet."""
        return self.kind == b"mime" and self.content_type == _XMP_TYPE


def items(data: Data) -> tuple[Item, ...]:
    """Every item of the file."""
    parts = _parts(data)
    places = dict(heif.locations(data, parts))
    return tuple(
        Item(number, kind, content_type, places.get(number, ()))
        for number, (kind, content_type) in heif.items(data, parts.get(b"iinf")).items()
    )


def content(data: Data, item: Item) -> bytes:
    """The bytes of an item; nothing if it is too long."""
    if sum(length for _, length in item.pieces) > _LONGEST:
        return b""
    return b"".join(data[at : at + length] for at, length in item.pieces)


def tiff_at(block: bytes) -> int:
    """Where the TIFF structure begins in an `Exif` item (A.2.1); -1 where there is none."""
    for start in (4 + int.from_bytes(block[:4], "big"), 4, 10, 0, 6):
        if block[start : start + 4] in (b"II*\0", b"MM\0*"):
            return start
    return -1


def read(data: Data) -> Blocks:
    """What the items hold, and the primary picture's profile."""
    exif = xmp = None
    for item in items(data):
        if item.kind == b"Exif" and exif is None:
            block = content(data, item)
            at = tiff_at(block)
            exif = block[at:] if at >= 0 else None
        elif item.is_xmp and xmp is None:
            xmp = content(data, item) or None
    return Blocks(exif=exif, xmp=xmp, icc=_profile(data))


def _profile(data: Data) -> bytes | None:
    parts = _parts(data)
    ipco = boxes.find(data, parts.get(b"iprp"), b"ipco")
    ipma = boxes.find(data, parts.get(b"iprp"), b"ipma")
    if ipco is None:
        return None
    every = tuple(boxes.walk(data, *ipco))
    primary = heif.primary_item(data, parts.get(b"pitm"))
    for number in heif.associated(data, ipma, primary):
        kind, start, end = every[number - 1] if 0 < number <= len(every) else (b"", 0, 0)
        if kind == b"colr" and data[start : start + 4] in (b"prof", b"rICC"):
            return data[start + 4 : end]
    return None


def write(target: bytes, blocks: Blocks) -> bytes:
    """`target` with these blocks in place of its own; what is None stays. IPTC has no place.

    Raises `Invalid` for an animation, whose encoder must write them.
    """
    if boxes.find(target, (0, len(target)), b"moov"):
        raise Invalid("What an animation says about itself must be written when it is made.")
    new = []
    if blocks.exif:
        new.append((b"Exif", b"", b"\0\0\0\0" + blocks.exif))
    if blocks.xmp:
        new.append((b"mime", _XMP_TYPE, blocks.xmp))
    return _with_items(target, new) if new else target


def _with_items(target: bytes, new: list[tuple[bytes, bytes, bytes]]) -> bytes:
    meta = boxes.find(target, (0, len(target)), b"meta")
    parts = _parts(target)
    if meta is None or not {b"iloc", b"iinf", b"pitm"} <= parts.keys():
        raise DecodeFailed("The copy is no whole HEIF or AVIF picture.")
    start = meta[0] - 8
    replaced = [i.number for i in items(target) if _is_replaced(i, new)]
    numbers = _free_numbers(target, parts, len(new))
    grown = 0
    for _ in range(2):  # the first pass only tells by how much the tables grow
        where = len(target) + grown + 8
        table = _Table(target, parts, meta, replaced, list(zip(numbers, new, strict=True)))
        box = table.built(grown, where)
        grown = len(box) - (meta[1] - start)
    payload = b"".join(value for _, _, value in new)
    tail = struct.pack(">I", len(payload) + 8) + b"mdat" + payload
    return target[:start] + box + target[meta[1] :] + tail


def _is_replaced(item: Item, new: list[tuple[bytes, bytes, bytes]]) -> bool:
    return any(item.kind == kind and item.content_type == mime for kind, mime, _ in new)


def _free_numbers(target: bytes, parts: dict[bytes, _Span], count: int) -> list[int]:
    taken = set(heif.items(target, parts.get(b"iinf"))) | dict(heif.locations(target, parts)).keys()
    first = max(taken, default=0) + 1
    if first + count > 0xFFFF:
        raise Invalid("The copy has too many parts to take what the original says about itself.")
    return list(range(first, first + count))


@dataclass(frozen=True, slots=True)
class _Table:
    """The `meta` box with items taken out and added."""

    data: bytes
    parts: dict[bytes, _Span]
    meta: _Span
    replaced: list[int]
    new: list[tuple[int, tuple[bytes, bytes, bytes]]]

    def built(self, moved: int, where: int) -> bytes:
        """The box when what lies behind it moves by `moved`, and new contents begin at `where`."""
        out = [self.data[self.meta[0] : self.meta[0] + 4]]
        seen = set()
        for kind, start, end in boxes.walk(self.data, self.meta[0] + 4, self.meta[1]):
            seen.add(kind)
            if kind == b"iinf":
                out.append(_box(b"iinf", self._infos(start, end)))
            elif kind == b"iloc":
                out.append(_box(b"iloc", self._places(start, moved, where)))
            elif kind == b"iref":
                out.append(_box(b"iref", self._references(start, end)))
            else:
                out.append(_box(kind, self.data[start:end]))
        if b"iref" not in seen:
            out.append(_box(b"iref", b"\0\0\0\0" + self._described(wide=False)))
        return _box(b"meta", b"".join(out))

    def _infos(self, start: int, end: int) -> bytes:
        version = self.data[start]
        entries = []
        for _, at, after in boxes.walk(self.data, start + (6 if version == 0 else 8), end):
            wide = 4 if self.data[at] == 3 else 2
            if boxes.number(self.data, at + 4, wide) not in self.replaced:
                entries.append(_box(b"infe", self.data[at:after]))
        for number, (kind, mime, _) in self.new:
            names = b"\0" + (mime + b"\0" if mime else b"")
            entries.append(
                _box(b"infe", b"\2\0\0\0" + struct.pack(">HH", number, 0) + kind + names)
            )
        count = struct.pack(">H" if version == 0 else ">I", len(entries))
        return self.data[start : start + 4] + count + b"".join(entries)

    def _places(self, start: int, moved: int, where: int) -> bytes:
        """Version 1: offsets of eight bytes, each item's way of counting kept."""
        rows = [row for row in _locations(self.data, start) if row.number not in self.replaced]
        behind = self.meta[1]
        out = []
        for row in rows:
            pieces = [
                (at + moved if row.method == 0 and at >= behind else at, length)
                for at, length in row.pieces
            ]
            out.append(row.written(pieces))
        for number, (_, _, value) in self.new:
            out.append(_Row(number, 0, ()).written([(where, len(value))]))
            where += len(value)
        return b"\1\0\0\0\x84\0" + struct.pack(">H", len(out)) + b"".join(out)

    def _references(self, start: int, end: int) -> bytes:
        version = self.data[start]
        wide = version != 0
        kept = b""
        for kind, at, after in boxes.walk(self.data, start + 4, end):
            source = boxes.number(self.data, at, 4 if wide else 2)
            if source not in self.replaced:
                kept += _box(kind, self.data[at:after])
        return self.data[start : start + 4] + kept + self._described(wide=wide)

    def _described(self, *, wide: bool) -> bytes:
        """`cdsc`: the new items describe the primary picture."""
        primary = heif.primary_item(self.data, self.parts.get(b"pitm"))
        layout = ">IHI" if wide else ">HHH"
        return b"".join(
            _box(b"cdsc", struct.pack(layout, number, 1, primary)) for number, _ in self.new
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """One item's places as `iloc` names them: method 0 counts from the file's start, 1 from `idat`,
    2 from another item.
    """

    number: int
    method: int
    pieces: tuple[tuple[int, int], ...]

    def written(self, pieces: list[tuple[int, int]]) -> bytes:
        head = struct.pack(">HHHH", self.number, self.method, 0, len(pieces))
        return head + b"".join(struct.pack(">QI", at, length) for at, length in pieces)


def _locations(data: bytes, start: int) -> list[_Row]:
    """Every row of `iloc` (8.11.3). Raises `Invalid` for what version 1 cannot say again."""
    reader = heif.Numbers(data[start:])
    version = reader.take(1)
    reader.take(3)
    sizes, more = reader.take(1), reader.take(1)
    index_size = more & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    rows = []
    for _ in range(reader.take(wide)):
        number = reader.take(wide)
        method = reader.take(2) & 15 if version in (1, 2) else 0
        source = reader.take(2)
        base = reader.take(more >> 4)
        pieces = []
        for _ in range(reader.take(2)):
            reader.take(index_size)
            pieces.append((base + reader.take(sizes >> 4), reader.take(sizes & 15)))
        if reader.is_over or source or number > 0xFFFF:
            raise Invalid("The copy is put together in a way that is not known here.")
        rows.append(_Row(number, method, tuple(pieces)))
    return rows


def _parts(data: Data) -> dict[bytes, _Span]:
    meta = boxes.find(data, (0, len(data)), b"meta")
    return boxes.children(data, meta[0] + 4, meta[1]) if meta else {}


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload
