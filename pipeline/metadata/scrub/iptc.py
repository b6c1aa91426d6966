"""IPTC-IIM records and Photoshop's resources without what is private, in the same room."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.metadata.findings import Data
from pipeline.metadata.iptc import records
from pipeline.metadata.scrub import names, xmp
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import Patch, blank

_IIM, _XMP, _EXIF, _THUMBNAILS = 0x0404, 0x0424, 0x0422, (0x0409, 0x040C)
_SIGNATURES = (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa")


def patches(data: Data, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    """IIM records: those that stay move up, the room behind them is blanked."""
    value = data[start:end]
    kept, length = b"", 0
    for record, dataset, content in records(value):
        length += 5 + len(content)
        if record != 2 or not names.is_private_set(dataset, orders):
            kept += struct.pack(">BBBH", 0x1C, record, dataset, len(content)) + content
    if value[length:].strip(b"\0") or kept != value[:length]:
        yield Patch(start, end, kept.ljust(end - start, b"\0")[: end - start])


def resource_patches(data: Data, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    """Photoshop's resources, those that hold metadata of other kinds included."""
    from pipeline.metadata.scrub import exif

    at = start
    while at + 12 <= end and data[at : at + 4] in _SIGNATURES:
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        size_at = at + 6 + (data[at + 6] + 2) // 2 * 2
        value = size_at + 4
        after = value + int.from_bytes(data[size_at:value], "big")
        if after > end:
            break
        if number == _IIM:
            yield from patches(data, value, after, orders)
        elif number == _XMP:
            old = data[value:after]
            yield Patch(value, after, xmp.scrubbed(old, orders, length=len(old)))
        elif number == _EXIF:
            yield from exif.patches(data, orders, value, after)
        at = after + (after - value) % 2
    if data[at:end].strip(b"\0"):
        yield blank(at, end)  # what is no resource cannot be looked into
