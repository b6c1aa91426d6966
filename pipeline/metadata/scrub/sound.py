"""MP3 and FLAC without what is private: tags in front and behind, the sound stays to the byte.

FLAC: RFC 9639; ID3: `id3.py`; APE tags, version 2, are only looked into.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import id3, names, pictures
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import Patch, zeroed

_STREAMINFO, _PADDING, _SEEKTABLE, _COMMENTS, _CUES, _PICTURE = 0, 1, 3, 4, 5, 6
_LAST = 0x80
_MOST_BLOCKS = 1000
_APE, _APE_HEAD = b"APETAGEX", 32
_TAIL = 4096


def mp3(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in an MP3. Raises `Invalid` for tags that nobody can look into."""
    at = 0
    while length := id3.size(data, at):
        yield from id3.patches(data, at, min(at + length, len(data)), orders)
        at += length
    end = len(data)
    if data[max(0, end - 128) : end - 125] == b"TAG":
        yield from id3.old(data, orders)
        end -= 128
    tail = data[max(0, end - _TAIL) : end]
    if b"LYRICS" in tail[-9:] or tail[-10:-7] == b"3DI" or b"TAG+" in tail[-227:-223]:
        raise Invalid("The tags at the end of this sound are of a kind that is not known here.")
    if tail[-_APE_HEAD:].startswith(_APE):
        _require_harmless(data, end, orders)


def _require_harmless(data: Data, end: int, orders: Orders) -> None:
    """Players take an APE tag for sound, so it cannot change without sound changing."""
    size, count = struct.unpack("<II", data[end - 20 : end - 12])
    at = end - size
    for _ in range(min(count, _MOST_BLOCKS)):
        length = int.from_bytes(data[at : at + 4], "little")
        key = data[at + 8 : at + 264].partition(b"\0")[0]
        after = at + 8 + len(key) + 1 + length
        is_text = not int.from_bytes(data[at + 4 : at + 8], "little") & 6
        if (
            at < 0
            or after > end - _APE_HEAD
            or not is_text
            or names.is_private_comment(key, orders)
        ):
            raise Invalid("The APE tag of this sound cannot be scrubbed in its place.")
        at = after


def flac(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in a FLAC. Raises `Invalid` for one whose blocks cannot be followed."""
    at = id3.size(data, 0)
    yield from id3.patches(data, 0, at, orders) if at else ()
    if data[at : at + 4] != b"fLaC":
        raise Invalid("The blocks of this sound are damaged; it is left alone.")
    at += 4
    for _ in range(_MOST_BLOCKS):
        head = data[at : at + 4]
        start, end = at + 4, at + 4 + int.from_bytes(head[1:], "big")
        if len(head) < 4 or end > len(data):
            break
        yield from _block(data, head[0], start, end, orders)
        if head[0] & _LAST:
            return
        at = end
    raise Invalid("The blocks of this sound are damaged; it is left alone.")


def _block(data: Data, flags: int, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    kind = flags & ~_LAST
    if kind == _COMMENTS:
        yield from _comments(data, flags, start, end, orders)
    elif kind == _PICTURE:
        content = data[start:end]
        at = max(content.find(b"\xff\xd8\xff"), content.find(b"\x89PNG"))
        clean = pictures.scrubbed(content[at:], orders) if at >= 0 else None
        if clean is None:
            yield from _padded(data, flags, start, end)
        else:
            yield Patch(start, end, content[:at] + clean)
    elif kind not in (_STREAMINFO, _SEEKTABLE, _CUES):
        yield from _padded(data, flags, start, end)


def _padded(data: Data, flags: int, start: int, end: int) -> Iterator[Patch]:
    yield Patch(start - 4, start - 3, bytes([flags & _LAST | _PADDING]))
    yield from zeroed(data, start, end)


def _comments(data: Data, flags: int, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    """The comments that stay; what the others filled is padding, a block of its own."""
    content = data[start:end]
    lead = 4 + int.from_bytes(content[:4], "little")
    at, kept, dropped = lead + 4, [], 0
    for _ in range(int.from_bytes(content[lead : lead + 4], "little")):
        length = int.from_bytes(content[at : at + 4], "little")
        comment = content[at : at + 4 + length]
        if len(comment) < 4 + length:
            raise Invalid("The comments of this sound are damaged; it is left alone.")
        at += 4 + length
        if names.is_private_comment(comment[4:].partition(b"=")[0], orders):
            dropped += len(comment)
        else:
            kept.append(comment)
    if not dropped:
        return
    room = dropped - 4 + len(content) - at
    new = content[:lead] + struct.pack("<I", len(kept)) + b"".join(kept)
    yield Patch(start - 4, start, bytes([flags & ~_LAST]) + len(new).to_bytes(3, "big"))
    padding = bytes([flags & _LAST | _PADDING]) + room.to_bytes(3, "big") + bytes(room)
    yield Patch(start, end, new + padding)
