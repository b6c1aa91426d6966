"""JPEG's way to carry metadata: segments in front of the picture. CIPA DC-008, XMP part 3, ICC.1.

The coded picture and what lies behind it are never touched.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata import iptc, jpeg
from pipeline.metadata.findings import Data
from pipeline.metadata.write.blocks import Blocks

EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
ICC = b"ICC_PROFILE\0"
IIM = 0x0404
_APP0, _APP1, _APP2, _APP13 = 0xE0, 0xE1, 0xE2, 0xED
_LONGEST = 65_533  # of a segment's content
_ICC_PIECE = 65_000
_EXTENDED_PIECE = 65_000
_STANDARD_DIGEST = 32


def read(data: Data) -> Blocks:
    """What the segments hold; damaged ones count as absent."""
    exif = xmp = None
    extended, profile, photoshop = [], [], []
    for marker, start, end in jpeg.segments(data, 0):
        content = data[start:end]
        if marker == _APP1 and content.startswith(b"Exif\0"):
            exif = exif or content[6:]
        elif marker == _APP1 and content.startswith(XMP):
            xmp = xmp or content[len(XMP) :]
        elif marker == _APP1 and content.startswith(EXTENDED):
            extended.append(content[len(EXTENDED) :])
        elif marker == _APP2 and content.startswith(ICC):
            profile.append((content[12], content[14:]))
        elif marker == _APP13 and content.startswith(PHOTOSHOP):
            photoshop.append(content[len(PHOTOSHOP) :])
    icc = b"".join(piece for _, piece in sorted(profile))
    records = dict(iptc.resources(b"".join(photoshop))).get(IIM)
    return Blocks(exif, xmp, _whole(xmp, extended), records or None, icc or None)


def write(target: bytes, blocks: Blocks) -> bytes:
    """`target` with these blocks in place of its own; what is None stays as it is in `target`.

    Raises `Invalid` for a block that no JPEG can carry.
    """
    head, at = [target[:2]], 2
    rest: list[bytes] = []
    for marker, start, end in jpeg.segments(target, 0):
        segment = target[at:end]
        at = end
        if marker == _APP0 and not rest:
            head.append(segment)
        elif not _is_replaced(marker, target[start : min(end, start + 40)], blocks):
            rest.append(segment)
    return b"".join((*head, *_segments(blocks), *rest, target[at:]))


def _is_replaced(marker: int, content: bytes, blocks: Blocks) -> bool:
    if marker == _APP1:
        is_xmp = content.startswith((XMP, EXTENDED)) and blocks.xmp is not None
        return is_xmp or (content.startswith(b"Exif\0") and blocks.exif is not None)
    if marker == _APP2:
        return content.startswith(ICC) and blocks.icc is not None
    return marker == _APP13 and content.startswith(PHOTOSHOP) and blocks.iptc is not None


def _segments(blocks: Blocks) -> Iterator[bytes]:
    if blocks.exif:
        yield segment(_APP1, EXIF + blocks.exif)
    if blocks.xmp:
        yield segment(_APP1, XMP + blocks.xmp)
        yield from _extended(blocks.extended_xmp)
    if blocks.icc:
        pieces = range(0, len(blocks.icc), _ICC_PIECE)
        for number, at in enumerate(pieces, 1):
            piece = blocks.icc[at : at + _ICC_PIECE]
            yield segment(_APP2, ICC + bytes((number, len(pieces))) + piece)
    if blocks.iptc:
        yield segment(_APP13, PHOTOSHOP + resource(IIM, blocks.iptc))


def segment(marker: int, content: bytes) -> bytes:
    """One segment. Raises `Invalid` for a content that is too long for one."""
    if len(content) > _LONGEST:
        raise Invalid(
            "What this picture says about itself is longer than a JPEG can hold in one piece.",
            hint="Keep the original, or convert to another format.",
        )
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def resource(number: int, value: bytes) -> bytes:
    """One of Photoshop's image resources, without a name."""
    return b"8BIM" + struct.pack(">HHI", number, 0, len(value)) + value + b"\0" * (len(value) % 2)


def _extended(whole: bytes | None) -> Iterator[bytes]:
    """Pieces under the digest that the main packet names it by."""
    if not whole:
        return
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode()
    for at in range(0, len(whole), _EXTENDED_PIECE):
        place = struct.pack(">II", len(whole), at)
        yield segment(_APP1, EXTENDED + digest + place + whole[at : at + _EXTENDED_PIECE])


def _whole(xmp: bytes | None, pieces: list[bytes]) -> bytes | None:
    """The extended packet, if the main one names it and every piece is there."""
    if xmp is None or not pieces:
        return None
    named = [p for p in pieces if p[:_STANDARD_DIGEST] in xmp]
    placed = sorted((int.from_bytes(p[36:40], "big"), p[40:]) for p in named)
    whole = b"".join(piece for _, piece in placed)
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode()
    return whole if named and digest == named[0][:_STANDARD_DIGEST].upper() else None
