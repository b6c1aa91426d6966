"""Is a file there to its last byte? Told by its own structure, before anything is decoded.

Decoders are lenient: they show half a picture, or ignore that the end is missing.
"""

from __future__ import annotations

import re

from pipeline.metadata import jpeg
from pipeline.metadata.findings import Data

_BOXES = frozenset(("heic", "heif", "avif", "jxl", "mp4", "mov", "m4v", "3gp"))
_PNGS = frozenset(("png", "apng"))
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in coded data: the end, or another segment
_BARE_JXL = b"\xff\x0a"
_MOST_BOXES = 100_000


def is_cut(data: Data, kind: str) -> bool:
    """True when a file of the format `kind` certainly ends too early."""
    if kind == "jpeg":
        return picture_end(data, 0) < 0
    if kind in _PNGS:
        return data.find(_PNG_END, max(0, len(data) - (1 << 20))) < 0
    if kind == "webp":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if kind in _BOXES and data[:2] != _BARE_JXL:
        return not _boxes_fit(data)
    return False


def picture_end(data: Data, at: int) -> int:
    """Where the JPEG that begins at `at` ends, behind its end marker; -1 where it has none."""
    at += 2
    for _, _, end in jpeg.segments(data, at - 2):
        at = end
    while True:
        marker = _MARKER.search(data, at)
        if marker is None:
            return -1
        kind = data[marker.start() + 1]
        if kind == 0xD9:
            return marker.end()
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        at = marker.end() + max(length, 2)  # another scan, or tables between two


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
