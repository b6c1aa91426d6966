"""JPEG XL's way to carry metadata: boxes `Exif` and `xml ` around the codestream. ISO/IEC 18181-2.

A profile is part of the codestream: only the encoder can put it there.
"""

from __future__ import annotations

import struct

from pipeline.metadata import boxes
from pipeline.metadata.findings import Data
from pipeline.metadata.write.blocks import Blocks

SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_BRAND = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
_BARE = b"\xff\x0a"
_LONGEST = 64 << 20


def read(data: Data) -> Blocks:
    """What the boxes hold, also where they are compressed (`brob`)."""
    exif = xmp = None
    for kind, start, end in boxes.walk(data, 0, len(data)):
        if kind not in (b"Exif", b"xml ", b"brob") or end - start > _LONGEST:
            continue
        inner, content = opened(kind, data[start:end])
        if inner == b"Exif":
            exif = exif or tiff(content)
        elif inner == b"xml ":
            xmp = xmp or content
    return Blocks(exif=exif, xmp=xmp)


def opened(kind: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Type and content of a box that may be a compressed one; nothing if that is damaged."""
    if kind != b"brob":
        return kind, content
    import imagecodecs

    try:
        return content[:4], bytes(imagecodecs.brotli_decode(content[4:], out=_LONGEST >> 3))
    except imagecodecs.BrotliError:
        return content[:4], b""


def tiff(content: bytes) -> bytes:
    """The TIFF structure inside an `Exif` box, behind the offset at its start."""
    return content[4 + int.from_bytes(content[:4], "big") :]


def write(target: bytes, blocks: Blocks) -> bytes:
    """`target` with these blocks in place of its own; what is None stays. IPTC has no place."""
    new = b""
    if blocks.exif:
        new += box(b"Exif", b"\0\0\0\0" + blocks.exif)
    if blocks.xmp:
        new += box(b"xml ", blocks.xmp)
    if target.startswith(_BARE):
        return SIGNATURE + _BRAND + new + box(b"jxlc", target)
    out, at = [], 0
    for kind, start, end in boxes.walk(target, 0, len(target)):
        inner = target[start : start + 4] if kind == b"brob" else kind
        is_replaced = (inner == b"Exif" and blocks.exif) or (inner == b"xml " and blocks.xmp)
        if not is_replaced:
            out.append(target[at:end])
        if kind == b"ftyp":
            out.append(new)
        at = end
    return b"".join(out)


def box(kind: bytes, content: bytes) -> bytes:
    """One box."""
    return struct.pack(">I", len(content) + 8) + kind + content
