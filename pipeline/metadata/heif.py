"""HEIF and AVIF: pictures as items of an ISO base media file (ISO/IEC 23008-12).

Reads the EXIF and XMP items wherever they lie, the size and turn of the primary picture, gain maps
and HDR. `extra["turned"]` is the orientation that decoders apply by themselves (`irot`, `imir`):
who shows decoded pixels must not turn them again.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import BadMedia
from pipeline.metadata import boxes, exif, quicktime, xmp
from pipeline.metadata.findings import Data, Findings

_Span = tuple[int, int]
_Property = tuple[bytes, int, int]

_LONGEST_ITEM = 8 << 20
_MOST_ITEMS = 4000
_TRANSFERS = {16: "pq", 18: "hlg"}  # ITU-T H.273, table 3
# Quarter turns against the clock, and the mirror axis, as an EXIF orientation.
_TURNS = {0: 1, 1: 8, 2: 3, 3: 6}
_MIRRORED = {(0, 0): 4, (0, 1): 2, (1, 0): 5, (1, 1): 7, (2, 0): 2, (2, 1): 4, (3, 0): 7, (3, 1): 5}


def read(data: Data, found: Findings) -> None:
    """Add what the file says. Damaged boxes say nothing; nothing here raises."""
    meta = boxes.find(data, (0, len(data)), b"meta")
    if meta is None:
        return
    parts = boxes.children(data, meta[0] + 4, meta[1])
    kinds = items(data, parts.get(b"iinf"))
    places = dict(locations(data, parts))
    for number, (kind, content_type) in kinds.items():
        if kind == b"Exif":
            _exif(_bytes(data, places.get(number, ())), found)
        elif kind == b"mime" and content_type == b"application/rdf+xml":
            xmp.read(_bytes(data, places.get(number, ())), found)
        elif kind == b"tmap":
            found.set("hdr", "gainmap")
    _properties(data, parts, found)
    if boxes.find(data, (0, len(data)), b"moov"):
        quicktime.read(data, found)  # an image sequence: its length is in its movie


def items(data: Data, iinf: _Span | None) -> dict[int, tuple[bytes, bytes]]:
    """Type and content type of each item."""
    if iinf is None:
        return {}
    version = boxes.number(data, iinf[0], 1)
    found: dict[int, tuple[bytes, bytes]] = {}
    for kind, start, end in boxes.walk(data, iinf[0] + (6 if version == 0 else 8), iinf[1]):
        entry = data[start : min(end, start + 256)]
        if (
            kind != b"infe"
            or len(entry) < 12
            or entry[0] not in (2, 3)
            or len(found) >= _MOST_ITEMS
        ):
            continue
        width = 2 if entry[0] == 2 else 4
        at = 4 + width + 2
        _, _, rest = entry[at + 4 :].partition(b"\0")
        number = int.from_bytes(entry[4 : 4 + width], "big")
        found[number] = (entry[at : at + 4], rest.partition(b"\0")[0])
    return found


def locations(
    data: Data, parts: dict[bytes, _Span]
) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    """Each item with the (offset, length) of its pieces (8.11.3)."""
    iloc = parts.get(b"iloc")
    if iloc is None:
        return
    table = data[iloc[0] : min(iloc[1], iloc[0] + (1 << 20))]
    reader = Numbers(table)
    version = reader.take(1)
    reader.take(3)
    sizes, more = reader.take(1), reader.take(1)
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    idat = parts.get(b"idat", (0, 0))
    for _ in range(min(reader.take(wide), _MOST_ITEMS)):
        number = reader.take(wide)
        method = reader.take(2) & 15 if version in (1, 2) else 0
        reader.take(2)
        base = reader.take(base_size) + (idat[0] if method == 1 else 0)
        pieces = []
        for _ in range(min(reader.take(2), _MOST_ITEMS)):
            reader.take(index_size)
            pieces.append((base + reader.take(offset_size), reader.take(length_size)))
            if reader.is_over:
                return
        if method in (0, 1):
            yield number, tuple(pieces)


class Numbers:
    """Big-endian numbers of changing width, one after another; 0 behind the end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def is_over(self) -> bool:
        return self.at > len(self.data)

    def take(self, size: int) -> int:
        value = int.from_bytes(self.data[self.at : self.at + size], "big")
        self.at += size
        return value


def _bytes(data: Data, pieces: tuple[tuple[int, int], ...]) -> bytes:
    if sum(length for _, length in pieces) > _LONGEST_ITEM:
        return b""
    return b"".join(data[at : at + (length or _LONGEST_ITEM)] for at, length in pieces)


def _exif(item: bytes, found: Findings) -> None:
    """The item begins with the offset of its TIFF header (A.2.1); writers differ on its meaning."""
    for start in (4 + int.from_bytes(item[:4], "big"), 4, 10, 0, 6):
        if item[start : start + 4] in (b"II*\0", b"MM\0*"):
            try:
                exif.read(item[start:], found)
            except BadMedia as error:
                found.note(error.message)
            return
    if item:
        found.note("The EXIF block does not begin as one.")


def _properties(data: Data, parts: dict[bytes, _Span], found: Findings) -> None:
    iprp = parts.get(b"iprp")
    ipco = boxes.find(data, iprp, b"ipco")
    ipma = boxes.find(data, iprp, b"ipma")
    if ipco is None:
        return
    every = tuple(boxes.walk(data, *ipco))
    primary = primary_item(data, parts.get(b"pitm"))
    mine = [every[n - 1] for n in associated(data, ipma, primary) if 0 < n <= len(every)]
    for kind, start, _ in mine or every:
        if kind == b"ispe":
            found.size(boxes.number(data, start + 4, 4), boxes.number(data, start + 8, 4))
    _turn(data, mine, found)
    for kind, start, end in every:
        if kind == b"auxC" and b"hdrgainmap" in data[start : min(end, start + 128)]:
            found.set("hdr", "gainmap")
    for kind, start, _ in (*mine, *every):
        if kind == b"colr" and data[start : start + 4] == b"nclx":
            found.set("hdr", _TRANSFERS.get(boxes.number(data, start + 6, 2)))


def bits(data: Data) -> int:
    """Bits of a sample of an AVIF's first coded picture; 8 where nothing says so."""
    meta = boxes.find(data, (0, len(data)), b"meta")
    parts = boxes.children(data, meta[0] + 4, meta[1]) if meta else {}
    ipco = boxes.find(data, parts.get(b"iprp"), b"ipco")
    for kind, start, _ in boxes.walk(data, *ipco) if ipco else ():
        if kind == b"av1C":  # AV1 in ISOBMFF, 2.3: high_bitdepth, twelve_bit
            flags = boxes.number(data, start + 2, 1)
            return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    return 8


def colour_codes(data: Data) -> tuple[int, int]:
    """H.273 primaries and transfer of the primary picture; (2, 2) is "unknown".

    Those of other items, gain maps above all, count only where the primary has no colours at all.
    """
    meta = boxes.find(data, (0, len(data)), b"meta")
    parts = boxes.children(data, meta[0] + 4, meta[1]) if meta else {}
    ipco = boxes.find(data, parts.get(b"iprp"), b"ipco")
    every = tuple(boxes.walk(data, *ipco)) if ipco else ()
    ipma = boxes.find(data, parts.get(b"iprp"), b"ipma")
    primary = primary_item(data, parts.get(b"pitm"))
    mine = [every[n - 1] for n in associated(data, ipma, primary) if 0 < n <= len(every)]
    own = [start for kind, start, _ in mine if kind == b"colr"]
    for start in own or [start for kind, start, _ in every if kind == b"colr"]:
        if data[start : start + 4] == b"nclx":
            return boxes.number(data, start + 4, 2), boxes.number(data, start + 6, 2)
    return 2, 2


def primary_item(data: Data, pitm: _Span | None) -> int:
    if pitm is None:
        return 0
    return boxes.number(data, pitm[0] + 4, 4 if boxes.number(data, pitm[0], 1) else 2)


def associated(data: Data, ipma: _Span | None, item: int) -> Iterator[int]:
    """The numbers, from 1, of the properties of `item` (8.11.14)."""
    if ipma is None:
        return
    reader = Numbers(data[ipma[0] : min(ipma[1], ipma[0] + (1 << 20))])
    version, is_wide = reader.take(1), reader.take(3) & 1
    for _ in range(min(reader.take(4), _MOST_ITEMS)):
        number = reader.take(4 if version else 2)
        count = reader.take(1)
        indexes = [
            reader.take(2) & 0x7FFF if is_wide else reader.take(1) & 0x7F for _ in range(count)
        ]
        if number == item:
            yield from indexes
        if reader.is_over:
            return


def _turn(data: Data, properties: list[_Property], found: Findings) -> None:
    """`irot` and `imir` are what makes the picture upright; EXIF beside them only repeats it."""
    quarters, axis = 0, None
    is_turned = False
    for kind, start, _ in properties:
        if kind == b"irot":
            quarters, is_turned = boxes.number(data, start, 1) & 3, True
        elif kind == b"imir":
            axis, is_turned = boxes.number(data, start, 1) & 1, True
    if not is_turned:
        return
    turned = _TURNS[quarters] if axis is None else _MIRRORED[quarters, axis]
    found.fields["orientation"] = turned
    found.extra["turned"] = turned
