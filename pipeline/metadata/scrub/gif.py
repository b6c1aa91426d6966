"""GIFs without what is private: comments and what programs put between the pictures leave.

Nothing in a GIF counts positions. The colours, the times and the number of rounds stay. GIF89a.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import xmp
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import Patch

_HEADER, _DESCRIPTOR = 13, 10
_CONTROL, _TEXT = b"\xf9", b"\x01"
_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
_XMP = b"XMP DataXMP"
# Behind a packet, so that whoever reads it as blocks arrives at its end (XMP, part 3, 1.1.2).
_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to change in a GIF. Raises `Invalid` for one without an end."""
    at = _HEADER + _colours(data[10:11])
    while (mark := data[at : at + 1]) != b";":
        if mark == b"!":
            end = _end(data, at + 2)
            yield from _extension(data, at, end, orders)
        elif mark == b",":
            colours = _colours(data[at + _DESCRIPTOR - 1 : at + _DESCRIPTOR])
            end = _end(data, at + _DESCRIPTOR + colours + 1)
        else:
            raise Invalid("The picture is cut short, so what hides at its end cannot be told.")
        at = end
    if at + 1 < len(data):
        yield Patch(at + 1, len(data), b"")


def _extension(data: Data, at: int, end: int, orders: Orders) -> Iterator[Patch]:
    label, name = data[at + 1 : at + 2], data[at + 3 : at + 14]
    if label in (_CONTROL, _TEXT) or (label == b"\xff" and name in _KEPT):
        return
    first, last = at + 14, end - len(_TRAILER)
    if label == b"\xff" and name == _XMP and first < last and data[last:end] == _TRAILER:
        yield Patch(first, last, xmp.scrubbed(data[first:last], orders, length=last - first))
    else:
        yield Patch(at, end, b"")


def _colours(flags: bytes) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _end(data: Data, at: int) -> int:
    """Behind the sub-blocks that begin at `at`; the empty one ends them."""
    while size := data[at : at + 1]:
        at += 1 + size[0]
        if size == b"\0":
            return at
    raise Invalid("The picture is cut short, so what hides at its end cannot be told.")
