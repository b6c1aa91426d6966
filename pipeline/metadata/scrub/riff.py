"""AVIs and WAVs without what is private: chunks that go become `JUNK` of zeros, and nothing moves.

Streams of anything but pictures and sounds (positions, texts) cannot be taken out in place, so such
a film is refused. Microsoft's RIFF, OpenDML; EBU Tech 3285 for broadcast waves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import id3, xmp
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write.patch import Patch, zeroed

_Chunk = tuple[bytes, int, int]

_WOVEN = b"freeGPS "  # of dash cameras
_MOVIE = frozenset((b"idx1", b"IDIT", b"ISMP"))
_HEADER = frozenset((b"avih", b"IDIT", b"ISMP"))
_STREAM = frozenset((b"strh", b"strf", b"strn", b"indx", b"vprp"))
_PLAYS = re.compile(rb"(?:\d[\dA-Fa-f](?:dc|db|wb|pc)|ix\d[\dA-Fa-f])\Z")
_SOUND = frozenset((b"fmt ", b"data", b"fact", b"cue ", b"plst", b"smpl", b"inst", b"PEAK"))
# Words of `INFO` that say neither where nor whose; any others go.
_SAID = frozenset(
    (
        *(b"INAM", b"ICRD", b"ISFT", b"ICMT", b"ICOP", b"IGNR", b"IKEY", b"ISBJ", b"IPRD"),
        *(b"IPRT", b"ITRK", b"ILNG", b"IMED", b"IDIT", b"ISMP", b"DTIM", b"ISHP", b"IRTD"),
    )
)
_ARTISTS = frozenset((b"IART", b"IENG", b"ITCH", b"IPRO", b"ISTR", b"ICNM", b"IWRI", b"IEDT"))
# Of a broadcast wave: who made it, his reference (a serial number), the material's unique id.
_ORIGINATOR, _REFERENCE, _UMID = (256, 288), (288, 320), (348, 412)


def avi(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in an AVI. Raises `Invalid` for one whose parts cannot be told apart."""
    if data.find(_WOVEN) >= 0:
        raise Invalid("This film's position is woven into its pictures; it is left alone.")
    for kind, start, end in _chunks(data, 0, len(data)):
        if kind != b"RIFF" or data[start : start + 4] not in (b"AVI ", b"AVIX"):
            yield from _junk(data, start, end)
            continue
        for name, at, after in _chunks(data, start + 4, end):
            yield from _of_film(data, name, at, after, orders)


def wav(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to overwrite in a WAV. Raises `Invalid` for one whose parts cannot be told apart."""
    for kind, start, end in _chunks(data, 0, len(data)):
        if kind != b"RIFF" or data[start : start + 4] != b"WAVE":
            yield from _junk(data, start, end)
            continue
        for name, at, after in _chunks(data, start + 4, end):
            if name == b"bext" and after - at >= _UMID[1]:
                yield from _broadcast(data, at, orders)
            elif name in (b"id3 ", b"ID3 "):
                yield from id3.patches(data, at, after, orders)
            elif name not in _SOUND and not _is_list(data, name, at, b"adtl"):
                yield from _common(data, name, at, after, orders)


def _of_film(data: Data, name: bytes, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    if _is_list(data, name, start, b"hdrl"):
        yield from _header(data, start + 4, end)
    elif _is_list(data, name, start, b"movi"):
        yield from _played(data, start + 4, end)
    elif name not in _MOVIE:
        yield from _common(data, name, start, end, orders)


def _header(data: Data, start: int, end: int) -> Iterator[Patch]:
    for name, at, after in _chunks(data, start, end):
        if _is_list(data, name, at, b"strl"):
            for part, part_at, part_end in _chunks(data, at + 4, after):
                if part == b"strh" and data[part_at : part_at + 4] not in (b"vids", b"auds"):
                    raise Invalid("This film has more than pictures and sound; it is left alone.")
                if part not in _STREAM:
                    yield from _junk(data, part_at, part_end)
        elif name not in _HEADER and not _is_list(data, name, at, b"odml"):
            yield from _junk(data, at, after)


def _played(data: Data, start: int, end: int) -> Iterator[Patch]:
    for name, at, after in _chunks(data, start, end):
        if _is_list(data, name, at, b"rec "):
            yield from _played(data, at + 4, after)
        elif not _PLAYS.match(name):
            yield from _junk(data, at, after)


def _common(data: Data, name: bytes, start: int, end: int, orders: Orders) -> Iterator[Patch]:
    """What films and sounds have in common: words, XMP, and what nobody can look into."""
    if _is_list(data, name, start, b"INFO"):
        for word, at, after in _chunks(data, start + 4, end):
            if word not in _SAID and (word not in _ARTISTS or orders.artist):
                yield from _junk(data, at, after)
    elif name == b"_PMX":
        yield Patch(start, end, xmp.scrubbed(data[start:end], orders, length=end - start))
    else:
        yield from _junk(data, start, end)


def _broadcast(data: Data, start: int, orders: Orders) -> Iterator[Patch]:
    goes = ((_ORIGINATOR, orders.artist), (_REFERENCE, orders.owner), (_UMID, True))
    for (first, last), is_wished in goes:
        if is_wished:
            yield from zeroed(data, start + first, start + last)


def _junk(data: Data, start: int, end: int) -> Iterator[Patch]:
    yield Patch(start - 8, start - 4, b"JUNK")
    yield from zeroed(data, start, end)


def _is_list(data: Data, name: bytes, start: int, of: bytes) -> bool:
    return name == b"LIST" and data[start : start + 4] == of


def _chunks(data: Data, start: int, end: int) -> Iterator[_Chunk]:
    """All chunks as (name, start, end). Raises `Invalid` where one reaches over the end."""
    while start + 8 <= end:
        head = data[start : start + 8]
        after = start + 8 + int.from_bytes(head[4:], "little")
        if after > end:
            raise Invalid("The parts of this file do not add up; it is left alone.")
        yield head[:4], start + 8, after
        start = after + (after - start) % 2
    if data[start:end].strip(b"\0"):
        raise Invalid("The parts of this file do not add up; it is left alone.")
