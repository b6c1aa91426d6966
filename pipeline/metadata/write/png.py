"""PNG's way to carry metadata: `eXIf`, XMP as `iTXt`, `iCCP`. PNG third edition; XMP part 3."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from pipeline.errors import DecodeFailed
from pipeline.metadata.findings import Data
from pipeline.metadata.write.blocks import Blocks

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP = b"XML:com.adobe.xmp\0"
_MOST_CHUNKS = 100_000
_MOST_PROFILE = 16 << 20
_COLOURS = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP")  # a profile says it all


def chunks(data: Data) -> Iterator[tuple[bytes, int, int]]:
    """The chunks as (type, start of the content, its end); stops at the first that is cut."""
    at = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        head = data[at : at + 8]
        end = at + 8 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or end + 4 > len(data):
            return
        yield head[4:], at + 8, end
        if head[4:] == b"IEND":
            return
        at = end + 4


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk with its checksum."""
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def text(content: bytes) -> bytes | None:
    """The text of an `iTXt` chunk, unpacked within bounds; None for one that is damaged."""
    _, _, rest = content.partition(b"\0")
    packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return unpacked(packed) if rest[:1] == b"\1" else packed


def unpacked(packed: bytes) -> bytes | None:
    """Deflated data, up to a limit; None where it is damaged or larger."""
    engine = zlib.decompressobj()
    try:
        plain = engine.decompress(packed, _MOST_PROFILE)
    except zlib.error:
        return None
    return None if engine.unconsumed_tail else plain


def read(data: Data) -> Blocks:
    """What the chunks hold."""
    exif = xmp = icc = None
    for kind, start, end in chunks(data):
        content = data[start:end] if kind in (b"eXIf", b"iTXt", b"iCCP") else b""
        if kind == b"eXIf":
            exif = exif or content.removeprefix(b"Exif\0\0")
        elif kind == b"iTXt" and content.startswith(XMP):
            xmp = xmp or text(content)
        elif kind == b"iCCP":
            icc = unpacked(content.partition(b"\0")[2][1:])
    return Blocks(exif=exif, xmp=xmp, icc=icc)


def write(target: bytes, blocks: Blocks) -> bytes:
    """`target` with these blocks in place of its own; what is None stays. IPTC has no place."""
    out = [SIGNATURE]
    at = len(SIGNATURE)
    for kind, start, end in chunks(target):
        if not _is_replaced(kind, target[start : min(end, start + 64)], blocks):
            out.append(target[at : end + 4])
        if kind == b"IHDR":
            out += _chunks(blocks)
        at = end + 4
    if len(out) < 3:
        raise DecodeFailed("The copy is no whole PNG.")
    return b"".join(out)


def _is_replaced(kind: bytes, content: bytes, blocks: Blocks) -> bool:
    if kind in _COLOURS:
        return blocks.icc is not None
    if kind == b"eXIf":
        return blocks.exif is not None
    return kind == b"iTXt" and content.startswith(XMP) and blocks.xmp is not None


def _chunks(blocks: Blocks) -> Iterator[bytes]:
    if blocks.icc:
        yield chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(blocks.icc))
    if blocks.exif:
        yield chunk(b"eXIf", blocks.exif)
    if blocks.xmp:
        yield chunk(b"iTXt", XMP + b"\0\0\0\0" + blocks.xmp)
