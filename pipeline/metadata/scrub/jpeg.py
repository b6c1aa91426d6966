"""JPEGs without what is private: the segments in front, and every picture and video behind.

Segments that are not known to be harmless are blanked where they lie; the coded picture is never
touched. Behind the picture: further pictures (CIPA DC-007, gain maps), the video of a motion photo,
Samsung's directory; anything else is blanked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata import jpeg
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import exif, iptc, quicktime, xmp
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write import jpeg as segments
from pipeline.metadata.write.patch import Patch, blank, scattered
from pipeline.metadata.write.pictures import jpeg_end

_APP0, _APP1, _APP2, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
_APPS = range(0xE0, 0xF0)
_HARMLESS = (
    (_APP0, b"JFIF\0"),
    (_APP0, b"JFXX\0"),
    (_APP2, segments.ICC),
    (_APP2, b"MPF\0"),
    (_APP2, b"urn:iso:std:iso:ts:21496:-1\0"),
    (_APP14, b"Adobe"),
)
_START = b"\xff\xd8\xff"
_MOST_PICTURES = 32
_GUID = 32
_EXTENDED_HEAD = len(segments.EXTENDED) + _GUID + 8


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in a JPEG file. Raises `Invalid` for one without an end."""
    at, size = 0, len(data)
    is_samsung = data[size - 4 : size] == b"SEFT"
    for _ in range(_MOST_PICTURES):
        end = jpeg_end(data, at)
        if end < 0:
            raise Invalid("The picture is cut short, so what hides at its end cannot be told.")
        yield from head_patches(data, at, end, orders)
        gap = end
        end = _film(data, end) or end
        if end > gap:
            film = data.find(b"ftyp", gap) - 4
            yield from _between(data, gap, film, is_kept=is_samsung)
            yield from quicktime.patches(data, orders, film, end)
            gap = end
        at = data.find(_START, gap)
        until = at if at >= 0 else size
        yield from _between(data, gap, until, is_kept=is_samsung)
        if at < 0:
            if is_samsung:
                yield from _samsung(data)
            return
    raise Invalid("The file holds more pictures than any camera writes.")


def head_patches(data: Data, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in front of the one picture from `start` to `end`."""
    photoshop, extended, main = [], [], None
    for marker, at, after in jpeg.segments(data, start):
        head = data[at : min(after, at + 40)]
        if marker not in _APPS or after > end:
            continue
        if marker == _APP1 and head.startswith(b"Exif\0"):
            yield from exif.patches(data, orders, at + 6, after)
        elif marker == _APP1 and head.startswith(segments.XMP):
            main = main or (at + len(segments.XMP), after)
            yield from _packet(data, at + len(segments.XMP), after, orders)
        elif marker == _APP1 and head.startswith(segments.EXTENDED):
            extended.append((at, after))
        elif marker == _APP13 and head.startswith(segments.PHOTOSHOP):
            photoshop.append((at + len(segments.PHOTOSHOP), after))
        elif not any(marker == m and head.startswith(name) for m, name in _HARMLESS):
            yield blank(at, after)
    yield from _photoshop(data, photoshop, orders)
    yield from _extended(data, main, extended, orders)


def _packet(data: Data, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    yield Patch(start, end, xmp.scrubbed(data[start:end], orders, length=end - start))


def _photoshop(data: Data, pieces: list[tuple[int, int]], orders: Orders) -> Iterator[Patch]:
    """Long blocks are spread over several segments and read as one."""
    whole = b"".join(data[start:end] for start, end in pieces)
    places = [(start, end - start) for start, end in pieces]
    for patch in iptc.resource_patches(whole, 0, len(whole), orders):
        yield from scattered(patch, places)


def _extended(
    data: Data, main: tuple[int, int] | None, found: list[tuple[int, int]], orders: Orders
) -> Iterator[Patch]:
    """The rest of a long packet: scrubbed as one, and named anew by its digest in the main one."""
    if not found:
        return
    heads = [data[at + len(segments.EXTENDED) : at + _EXTENDED_HEAD] for at, _ in found]
    offsets = [int.from_bytes(head[_GUID + 4 :], "big") for head in heads]
    order = sorted(range(len(found)), key=offsets.__getitem__)
    places = [
        (found[n][0] + _EXTENDED_HEAD, found[n][1] - found[n][0] - _EXTENDED_HEAD) for n in order
    ]
    whole = b"".join(data[at : at + length] for at, length in places)
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode()
    is_one = {head[:_GUID].upper() for head in heads} == {digest}
    clean = xmp.scrubbed(whole, orders, length=len(whole)) if is_one else b" " * len(whole)
    if clean == whole:
        return
    new = hashlib.md5(clean, usedforsecurity=False).hexdigest().upper().encode()
    yield from scattered(Patch(0, len(whole), clean), places)
    for at, _ in found:
        yield Patch(at + len(segments.EXTENDED), at + len(segments.EXTENDED) + _GUID, new)
    if main is not None:
        yield Patch(main[0], main[1], _renamed(data, main, orders, heads[0][:_GUID], new))


def _renamed(data: Data, main: tuple[int, int], orders: Orders, old: bytes, new: bytes) -> bytes:
    clean = xmp.scrubbed(data[main[0] : main[1]], orders, length=main[1] - main[0])
    return clean.replace(old, new)


def _film(data: Data, start: int) -> int | None:
    """The end of the video that begins behind `start` and before any further picture."""
    at = data.find(b"ftyp", start)
    further = data.find(_START, start)
    if at < start + 4 or (0 <= further < at):
        return None
    return quicktime.end(data, at - 4)


def _between(data: Data, start: int, end: int, *, is_kept: bool) -> Iterator[Patch]:
    if end > start and not is_kept and data[start:end].strip(b"\0"):
        yield blank(start, end)


def _samsung(data: Data) -> Iterator[Patch]:
    """Samsung's trailer: every entry but the video is blanked (the network's country is one)."""
    size = len(data)
    head = data.rfind(b"SEFH", max(0, size - (1 << 16)))
    count = int.from_bytes(data[head + 8 : head + 12], "little") if head >= 0 else 0
    if head < 0 or count > 256:
        raise Invalid("What lies behind the picture cannot be looked into.")
    for entry in range(head + 12, head + 12 + 12 * count, 12):
        offset = int.from_bytes(data[entry + 4 : entry + 8], "little")
        length = int.from_bytes(data[entry + 8 : entry + 12], "little")
        at = head - offset
        name_end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        is_film = data[at + 8 : name_end].startswith((b"MotionPhoto", b"EmbeddedVideo"))
        if not is_film and 0 < name_end <= at + length <= head:
            yield blank(name_end, at + length)
