"""WebP's way to carry metadata: `EXIF`, `XMP ` and `ICCP` beside the picture, announced in `VP8X`.

RFC 9649.
"""

from __future__ import annotations

import struct

from pipeline.errors import DecodeFailed
from pipeline.metadata import raster
from pipeline.metadata.findings import Data
from pipeline.metadata.write.blocks import Blocks

_ICC, _ALPHA, _EXIF, _XMP, _ANIMATED = 0x20, 0x10, 0x08, 0x04, 0x02
_HEADER = 10  # bytes of VP8X

_Chunk = tuple[bytes, bytes]


def read(data: Data) -> Blocks:
    """What the chunks hold."""
    found: dict[bytes, bytes] = {}
    for kind, start, end in raster.riff_chunks(data, 12, len(data)):
        if kind in (b"EXIF", b"XMP ", b"ICCP"):
            found.setdefault(kind, data[start:end])
    exif = found.get(b"EXIF", b"").removeprefix(b"Exif\0\0")
    return Blocks(exif=exif or None, xmp=found.get(b"XMP "), icc=found.get(b"ICCP"))


def write(target: bytes, blocks: Blocks) -> bytes:
    """`target` with these blocks in place of its own; what is None stays. IPTC has no place."""
    own = [(k, target[s:e]) for k, s, e in raster.riff_chunks(target, 12, len(target))]
    meta = {b"ICCP": blocks.icc, b"EXIF": blocks.exif, b"XMP ": blocks.xmp}
    kept = dict(own)
    meta = {kind: new if new is not None else kept.get(kind) for kind, new in meta.items()}
    picture = [c for c in own if c[0] not in (*meta, b"VP8X")]
    header = _header(kept.get(b"VP8X"), picture, meta)
    order = [(b"VP8X", header), (b"ICCP", meta[b"ICCP"]), *picture]
    order += [(b"EXIF", meta[b"EXIF"]), (b"XMP ", meta[b"XMP "])]
    body = b"WEBP" + b"".join(_chunk(kind, value) for kind, value in order if value)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _header(own: bytes | None, picture: list[_Chunk], meta: dict[bytes, bytes | None]) -> bytes:
    flags = own[0] & (_ALPHA | _ANIMATED) if own else _alpha(picture)
    flags |= _ICC * bool(meta[b"ICCP"]) | _EXIF * bool(meta[b"EXIF"]) | _XMP * bool(meta[b"XMP "])
    if own and len(own) >= _HEADER:
        return bytes((flags,)) + own[1:_HEADER]
    width, height = _size(picture)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes((flags, 0, 0, 0)) + sides


def _alpha(picture: list[_Chunk]) -> int:
    """Bit 28 of a lossless picture's header says whether it is see-through."""
    for kind, value in picture:
        if kind == b"VP8L":
            return _ALPHA * (int.from_bytes(value[1:5], "little") >> 28 & 1)
        if kind == b"ALPH":
            return _ALPHA
    return 0


def _size(picture: list[_Chunk]) -> tuple[int, int]:
    for kind, value in picture:
        if kind == b"VP8L" and len(value) >= 5:
            bits = int.from_bytes(value[1:5], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if kind == b"VP8 " and len(value) >= 10:
            width, height = struct.unpack_from("<HH", value, 6)
            return width & 0x3FFF, height & 0x3FFF
    raise DecodeFailed("The copy is no whole WebP.")


def _chunk(kind: bytes, value: bytes) -> bytes:
    return kind + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2)
