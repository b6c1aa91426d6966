"""ID3 tags without what is private: frames that stay move up, zeros follow, the tag keeps its size.

Versions 2.3 and 2.4; a tag of another version, or one that is packed, goes as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import names, pictures
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import Patch, zeroed

_HEAD = 10
_KEPT = frozenset((b"COMM", b"USLT", b"SYLT", b"APIC", b"PCNT", b"RVA2", b"RVAD", b"MLLT", b"ETCO"))
_OWNERS = frozenset((b"TOWN", b"TENC", b"TRSO"))
_ARTISTS = frozenset(
    (
        *(b"TPE1", b"TPE2", b"TPE3", b"TPE4", b"TCOM", b"TEXT", b"TOLY", b"TOPE", b"TIPL"),
        *(b"TMCL", b"TSOP", b"TSO2", b"TSOC"),
    )
)
_V1, _V1_ARTIST = 128, (33, 63)


def size(data: Data, start: int) -> int:
    """Bytes of the tag at `start`; 0 where there is none."""
    head = data[start : start + _HEAD]
    if len(head) < _HEAD or head[:3] != b"ID3" or max(head[6:]) > 0x7F:
        return 0
    return _HEAD + _synchsafe(head[6:]) + (_HEAD if head[5] & 0x10 else 0)


def patches(data: Data, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in the tag that lies from `start` to `end`."""
    head = data[start : start + _HEAD]
    if head[:3] != b"ID3" or head[3] not in (3, 4) or head[5]:
        yield from zeroed(data, min(start + _HEAD, end), end)
        return
    body = data[start + _HEAD : end]
    kept = b"".join(_kept(body, orders, is_v4=head[3] == 4))
    yield Patch(start + _HEAD, end, kept.ljust(len(body), b"\0"))


def old(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in the 128 bytes of version 1 at the very end."""
    start = len(data) - _V1
    if orders.artist and start > 0 and data[start : start + 3] == b"TAG":
        yield from zeroed(data, start + _V1_ARTIST[0], start + _V1_ARTIST[1])


def _kept(body: bytes, orders: Orders, *, is_v4: bool) -> Iterator[bytes]:
    """The frames that stay, changed where they hold something private."""
    at = 0
    while at + _HEAD <= len(body) and body[at] != 0:
        name, told, flags = body[at : at + 4], body[at + 4 : at + 8], body[at + 8 : at + 10]
        length = _synchsafe(told) if is_v4 else int.from_bytes(told, "big")
        after = at + _HEAD + length
        if after > len(body):
            return
        if flags[1] == 0 and not _goes(name, body[at + _HEAD : after], orders):
            content = body[at + _HEAD : after]
            clean = _picture(content, orders) if name == b"APIC" else content
            if clean is not None:
                yield body[at : at + _HEAD] + clean
        at = after


def _goes(name: bytes, content: bytes, orders: Orders) -> bool:
    if name == b"TXXX":
        return names.is_private_key(_described(content), orders)
    if name == b"COMM":
        return names.is_private_key(_described(content[:1] + content[4:]), orders)
    if name in _OWNERS:
        return orders.owner
    if name in _ARTISTS:
        return orders.artist
    return name not in _KEPT and not name.startswith(b"T")


def _described(content: bytes) -> str:
    """The description in front of a value; everything where no end of it can be told."""
    is_wide = content[:1] in (b"\1", b"\2")
    text = content[1:]
    end = 0
    step = 2 if is_wide else 1
    while end < len(text) and text[end : end + step].strip(b"\0"):
        end += step
    return text[:end].decode("utf-16" if is_wide else "utf-8", "replace")


def _picture(content: bytes, orders: Orders) -> bytes | None:
    """A picture without what it tells; None where it cannot be looked into."""
    at = content.find(b"\0", 1)
    for magic in (b"\xff\xd8\xff", b"\x89PNG"):
        begin = content.find(magic, at)
        if 0 <= at < begin <= at + 256:
            clean = pictures.scrubbed(content[begin:], orders)
            return None if clean is None else content[:begin] + clean
    return None


def _synchsafe(four: bytes) -> int:
    return sum((byte & 0x7F) << 7 * (3 - n) for n, byte in enumerate(four))
