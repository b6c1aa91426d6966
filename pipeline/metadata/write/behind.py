"""What stands behind the picture of a JPEG (gain maps, videos, makers' trailers), taken along.

All of it goes byte for byte. What counts from the end of the file (Google's directory, Samsung's
trailer) stays true by that; what counts from the beginning (the index of CIPA DC-007) is written
anew. Where something cannot be followed, nothing is promised: the answer is None.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import BadMedia
from pipeline.metadata import jpeg, rdf
from pipeline.metadata.tiff import Tiff
from pipeline.metadata.write import jpeg as written
from pipeline.metadata.write.jpeg import segment
from pipeline.metadata.write.pictures import jpeg_end

_APP0, _APP1, _APP2 = 0xE0, 0xE1, 0xE2
_MPF = b"MPF\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_PICTURES = 0xB002  # the tag whose value lists them: attribute, size, offset, two dependents
_ENTRY = "IIIHH"
_ENTRY_BYTES = 16
_MOST_PICTURES = 64


@dataclass(frozen=True, slots=True)
class _Index:
    """CIPA DC-007's segment: its content, where its offsets count from, and its list."""

    content: bytes
    base: int  # in the file
    order: str
    entries: range  # where each begins in the content


def carried(original: bytes, made: bytes) -> bytes | None:
    """`made`, a JPEG of the same picture the same way up, with all that stands behind `original`'s.

    None where the index points to what is not there, or a length counts from elsewhere.
    """
    end = jpeg_end(original, 0)
    bare = _bare(made)
    if end < 0 or bare is None or _counts_the_picture(original):
        return None
    found = _index(original)
    claims = b"".join(segment(_APP2, iso) for iso in _iso(original))
    at = _after_exif(bare)
    if found is None:
        return bare[:at] + claims + bare[at:] + original[end:]
    grown = len(bare) + len(claims) + 4 + len(found.content)
    base = at + len(claims) + 4 + len(_MPF)
    content = _moved(found, end, len(original), grown, base)
    if content is None:
        return None
    return b"".join((bare[:at], claims, segment(_APP2, content), bare[at:], original[end:]))


def pictures(data: bytes) -> tuple[bytes, ...]:
    """The other pictures that the index of a JPEG names, in its order; () where it has none."""
    found = _index(data)
    if found is None:
        return ()
    places = ((found.base + offset, size) for size, offset in _others(found))
    return tuple(data[start : start + size] for start, size in places)


def _bare(made: bytes) -> bytes | None:
    """The picture alone, without an index or claims of an encoder that copied them."""
    end = jpeg_end(made, 0)
    if end < 0:
        return None
    kept, at = [made[:2]], 2
    for marker, start, after in jpeg.segments(made, 0):
        if marker != _APP2 or not made[start:after].startswith((_MPF, _ISO_GAIN_MAP)):
            kept.append(made[at:after])
        at = after
    return b"".join((*kept, made[at:end]))


def _iso(original: bytes) -> Iterator[bytes]:
    for marker, start, end in jpeg.segments(original, 0):
        if marker == _APP2 and original[start:end].startswith(_ISO_GAIN_MAP):
            yield original[start:end]


def _after_exif(data: bytes) -> int:
    """Where the index belongs: right behind EXIF, or what stands in its place."""
    at = 2
    for marker, start, end in jpeg.segments(data, 0):
        is_exif = marker == _APP1 and data[start : start + 5] == b"Exif\0"
        if marker != _APP0 and not is_exif:
            break
        at = end
    return at


def _index(data: bytes) -> _Index | None:
    for marker, start, end in jpeg.segments(data, 0):
        content = data[start:end]
        if marker != _APP2 or not content.startswith(_MPF):
            continue
        try:
            tiff = Tiff(content, len(_MPF))
        except BadMedia:
            return None
        entries, _ = tiff.ifd(tiff.first)
        at, length = tiff.span(entries.get(_PICTURES))
        if not 0 < length <= _ENTRY_BYTES * _MOST_PICTURES or length % _ENTRY_BYTES:
            return None
        return _Index(content, start + len(_MPF), tiff.order, range(at, at + length, _ENTRY_BYTES))
    return None


def _others(index: _Index) -> Iterator[tuple[int, int]]:
    """(size, offset) of all pictures but the first, whose offset is 0 by definition."""
    for at in index.entries[1:]:
        _, size, offset, *_ = struct.unpack_from(index.order + _ENTRY, index.content, at)
        yield size, offset


def _moved(index: _Index, end: int, whole: int, new_end: int, base: int) -> bytes | None:
    """The index as it is true of a file whose picture ends at `new_end` in place of `end`, and in
    which offsets count from `base`; None where it names something in front of `end` or beyond.
    """
    content = bytearray(index.content)
    for at in index.entries:
        attribute, size, offset, *rest = struct.unpack_from(index.order + _ENTRY, content, at)
        place = index.base + offset
        if at == index.entries[0]:
            size, offset = new_end, 0
        elif end <= place and place + size <= whole:
            offset = place - end + new_end - base
        elif size or offset:
            return None
        struct.pack_into(index.order + _ENTRY, content, at, attribute, size, offset, *rest)
    return bytes(content)


def _counts_the_picture(original: bytes) -> bool:
    """Does Google's directory give the picture's own length? It would not be true of a copy."""
    told = written.read(original).whole_xmp
    try:
        directory = rdf.properties(told or b"").get("Container:Directory") if told else None
    except BadMedia:
        return False
    for entry in directory if isinstance(directory, list) else ():
        item = entry.get("Container:Item", entry) if isinstance(entry, dict) else {}
        if isinstance(item, dict) and item.get("Item:Semantic") == "Primary":
            return item.get("Item:Length", "0") not in ("", "0")
    return False
