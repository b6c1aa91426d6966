"""Is a file there to its last byte? Told by its own structure, before anything is decoded.

Decoders are lenient: they show half a picture, or ignore that the end is missing.
"""

from __future__ import annotations

from pipeline.metadata.findings import Data
from pipeline.metadata.write.pictures import jpeg_end

_BOXES = frozenset(("heic", "heif", "avif", "jxl", "mp4", "mov", "m4v", "3gp"))
_PNGS = frozenset(("png", "apng"))
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_BARE_JXL = b"\xff\x0a"
_MOST_BOXES = 100_000


def is_cut(data: Data, kind: str) -> bool:
    """True when a file of the format `kind` certainly ends too early."""
    if kind == "jpeg":
        return jpeg_end(data, 0) < 0
    if kind in _PNGS:
        return data.find(_PNG_END, max(0, len(data) - (1 << 20))) < 0
    if kind == "webp":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if kind in _BOXES and data[:2] != _BARE_JXL:
        return not _boxes_fit(data)
    return False


def _boxes_fit(data: Data) -> bool:
    at, size = 0, len(data)
    for _ in range(_MOST_BOXES):
        if at == size:
            return True
        head = data[at : at + 16]
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length == 0:
            return True  # the last box reaches to the end, whatever that is
        if length < 8 or at + length > size:
            return False
        at += length
    return False
