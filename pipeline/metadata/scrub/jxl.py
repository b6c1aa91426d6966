"""JPEG XLs without what is private: boxes scrubbed, those that cannot be looked into freed.

A picture that can be turned back into its JPEG carries that file's other metadata in `jbrd`, where
nobody can reach it: the way back is closed for the copy, its pixels stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.metadata import boxes
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import exif, xmp
from pipeline.metadata.scrub.quicktime import freed
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write import jxl
from pipeline.metadata.write.patch import Patch, apply, blank

_KEPT = frozenset((b"JXL ", b"ftyp", b"jxll", b"jxlp", b"jxlc", b"jxli", b"jhgm"))
_BARE = b"\xff\x0a"


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to change in a JPEG XL; a compressed box that changes is stored plain."""
    if data[:2] == _BARE:
        return
    last = 0
    for kind, start, end in boxes.walk(data, 0, len(data)):
        if kind == b"brob":
            yield from _packed(data, last, start, end, orders)
        elif kind == b"Exif":
            at = start + 4 + int.from_bytes(data[start : start + 4], "big")
            yield from exif.patches(data, orders, min(at, end), end)
        elif kind == b"xml ":
            yield Patch(start, end, xmp.scrubbed(data[start:end], orders, length=end - start))
        elif kind in (b"free", b"skip"):
            yield blank(start, end)
        elif kind not in _KEPT:
            yield from freed(data, start, end)
        last = end
    if last < len(data):
        yield blank(last, len(data))


def _packed(data: Data, begin: int, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    kind, content = jxl.opened(b"brob", data[start:end])
    if kind == b"Exif" and content:
        at = 4 + int.from_bytes(content[:4], "big")
        clean = apply(content, exif.patches(content, orders, at, len(content)))
    elif kind == b"xml ":
        clean = xmp.scrubbed(content, orders)
    else:
        clean = b""
    if not clean:
        yield from freed(data, start, end)
    elif clean != content:
        yield Patch(begin, end, jxl.box(kind, clean))
