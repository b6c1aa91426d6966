"""Ogg Vorbis and Opus without what is private: comments that go keep their room, under a name that
says nothing, and their page gets its new sum.

RFC 3533, RFC 7845; Vorbis I, 5.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import names
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import Patch

_HEAD, _SUM = 27, 22  # bytes in front of the lengths; where the page's sum stands
_BEGINS = 2
_MARKS = (b"OpusTags", b"\3vorbis")
_MOST_COMMENTS = 10_000
_DAMAGED = "The pages of this sound are damaged; it is left alone."


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in an Ogg. Raises `Invalid` for one that cannot be followed."""
    begun: set[bytes] = set()
    at = 0
    while at < len(data):
        head = data[at : at + _HEAD]
        if len(head) < _HEAD or head[:4] != b"OggS":
            raise Invalid(_DAMAGED)
        lengths = data[at + _HEAD : at + _HEAD + head[26]]
        start, serial = at + _HEAD + head[26], head[14:18]
        end = start + sum(lengths)
        if end > len(data) or len(lengths) < head[26]:
            raise Invalid(_DAMAGED)
        if head[5] & _BEGINS:
            begun.add(serial)
        elif serial in begun:
            begun.remove(serial)
            yield from _page(data, at, start, end, lengths, orders)
        at = end


def _page(
    data: Data, at: int, start: int, end: int, lengths: bytes, orders: Orders
) -> Iterator[Patch]:
    """The page behind a stream's first one begins with its comments."""
    packet = _first(lengths)
    page = data[at:end]
    content = page[start - at : start - at + packet]
    mark = next((mark for mark in _MARKS if content.startswith(mark)), None)
    if mark is None or not packet:
        raise Invalid("The comments of this sound are of a kind that is not known here.")
    clean = _clean(content, len(mark), orders)
    if clean == content:
        return
    new = page[:_SUM] + bytes(4) + page[_SUM + 4 : start - at] + clean + page[start - at + packet :]
    yield Patch(at, end, new[:_SUM] + page_sum(new) + new[_SUM + 4 :])


def _first(lengths: bytes) -> int:
    """Bytes of the first packet; 0 for one that goes on in the next page."""
    total = 0
    for length in lengths:
        total += length
        if length < 255:
            return total
    return 0


def _clean(content: bytes, mark: int, orders: Orders) -> bytes:
    lead = mark + 4 + int.from_bytes(content[mark : mark + 4], "little")
    count = int.from_bytes(content[lead : lead + 4], "little")
    out, at = bytearray(content), lead + 4
    for _ in range(min(count, _MOST_COMMENTS)):
        begin = at + 4
        at = begin + int.from_bytes(content[at:begin], "little")
        if at > len(content):
            raise Invalid("The comments of this sound are damaged; it is left alone.")
        key, _, value = content[begin:at].partition(b"=")
        if names.is_private_comment(key, orders):
            out[begin:at] = b"_" * len(key) + b"=" + b" " * len(value)
    return bytes(out)


def page_sum(page: bytes) -> bytes:
    """CRC-32 of a page whose own sum is zeros: polynomial 04C11DB7, high bits first, from 0."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ byte]
    return value.to_bytes(4, "little")


def _row(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = value << 1 ^ (0x104C11DB7 if value & 0x80000000 else 0)
    return value & 0xFFFFFFFF


_TABLE = tuple(map(_row, range(256)))
