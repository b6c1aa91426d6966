"""Where a JPEG ends: told from its markers, without decoding."""

from __future__ import annotations

import re

from pipeline.metadata import jpeg
from pipeline.metadata.findings import Data
from pipeline.metadata.window import Window

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in coded data: the end, or another segment
_END = 0xD9


def jpeg_end(data: Data, at: int) -> int:
    """Behind the end marker of the JPEG that begins at `at`; -1 where it has none."""
    data = data[:] if isinstance(data, Window) else data
    start, at = at, at + 2
    for _, _, end in jpeg.segments(data, start):
        at = end
    while True:
        marker = _MARKER.search(data, at)
        if marker is None:
            return -1
        if data[marker.start() + 1] == _END:
            return marker.end()
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        at = marker.end() + max(length, 2)  # another scan, or tables between two


def coded(data: Data, at: int = 0) -> bytes:
    """Everything of the picture itself: from its first scan to its end."""
    start = at + 2
    for _, _, end in jpeg.segments(data, at):
        start = end
    return data[start : max(start, jpeg_end(data, at))]
