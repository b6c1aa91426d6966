"""WebPs without what is private, in the same room."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.metadata import raster
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import exif, xmp
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import Patch, blank

_KEPT = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in a WebP."""
    last = 12
    for kind, start, end in raster.riff_chunks(data, 12, len(data)):
        last = end
        if kind == b"EXIF":
            at = start + (6 if data[start : start + 6] == b"Exif\0\0" else 0)
            yield from exif.patches(data, orders, at, end)
        elif kind == b"XMP ":
            yield Patch(start, end, xmp.scrubbed(data[start:end], orders, length=end - start))
        elif kind not in _KEPT:
            yield blank(start, end)
    if data[last:].strip(b"\0"):
        yield blank(last, len(data))
