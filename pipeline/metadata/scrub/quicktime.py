"""MP4 and QuickTime without what is private. Boxes that go become `free` boxes of zeros, so that no
sample moves; tracks of timed metadata (GPS of action cameras and drones) go with their samples.

What plays is never touched. ISO/IEC 14496-12; Apple's QuickTime File Format; 3GPP TS 26.244.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata import boxes, places
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import names, samples, xmp
from pipeline.metadata.scrub.wishes import KM_PER_DEGREE, Orders, rounded
from pipeline.metadata.write.patch import Patch, zeroed

_Span = tuple[int, int]

_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_FILE = frozenset(
    (
        *(b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"sidx"),
        *(b"ssix", b"moof", b"mfra", b"mpvd", b"emsg", b"prft"),
    )
)
_MOVIE = frozenset(
    (
        *(b"mvhd", b"trak", b"mvex", b"udta", b"meta", b"iods", b"free", b"skip", b"wide"),
        *(b"rmra", b"ctab", b"prfl", b"cmov"),
    )
)
_TRACK = frozenset(
    (
        *(b"tkhd", b"mdia", b"edts", b"tref", b"udta", b"meta", b"tapt", b"load", b"imap"),
        *(b"trgr", b"clip", b"matt", b"kmat", b"free", b"skip", b"wide", b"uuid"),
    )
)
# User data that is known to say neither where nor whose.
_SAID = frozenset(
    (
        *(b"\xa9day", b"\xa9mak", b"\xa9mod", b"\xa9swr", b"\xa9too", b"\xa9nam"),
        *(b"\xa9cmt", b"\xa9des", b"\xa9fmt", b"\xa9enc", b"\xa9inf", b"\xa9req"),
        *(b"\xa9alb", b"\xa9gen", b"\xa9TIM", b"\xa9TSC", b"\xa9TSZ", b"date", b"name"),
        *(b"titl", b"dscp", b"gnre", b"albm", b"yrrc", b"rtng", b"clsf", b"kywd", b"cprt"),
        *(b"\xa9cpy", b"hnti", b"hinf", b"tagc", b"WLOC", b"LOOP", b"SelO", b"AllF"),
        *(b"free", b"skip", b"ptv ", b"meta", b"XMP_", b"chpl", b"ludt", b"\0\0\0\0"),
        *(b"vndr",),
    )
)
_ARTISTS = frozenset(
    (
        *(b"\xa9ART", b"\xa9aut", b"\xa9wrt", b"\xa9dir", b"\xa9prd", b"\xa9prf", b"auth"),
        *(b"perf", b"manu", b"aART", b"\xa9com"),
    )
)
_OWNERS = frozenset((b"ownr", b"apID", b"cnID", b"purd", b"----"))
_GAPS = ("iTunSMPB", "iTunNORM")  # how sound joins and how loud it is
_ROOM = (b"free", b"skip", b"wide")  # nothing that is read, and sometimes leftovers
_DASH_CAMERA = b"freeGPS "
_PLAYS = frozenset((b"vide", b"soun", b"pict", b"clcp", b"tmcd", b"hint", b"auxv"))


def patches(data: Data, orders: Orders, start: int = 0, end: int | None = None) -> Iterator[Patch]:
    """What to overwrite in the movie file from `start` to `end`. Raises `Invalid`."""
    stop = len(data) if end is None else end
    if data.find(_DASH_CAMERA, start, stop) >= 0:
        raise Invalid("This film's position is woven into its pictures; it is left alone.")
    is_fragmented = boxes.find(data, (start, stop), b"moof") is not None
    walk = _Walk(data, orders, start, is_fragmented)
    last = start
    for kind, at, after in boxes.walk(data, start, stop):
        last = after
        if kind == b"moov":
            yield from walk.movie(at, after)
        elif kind == b"uuid" and data[at : at + 16] == _XMP_UUID:
            yield from walk.packet(at + 16, after)
        elif kind == b"meta":
            yield from walk.meta(at, after)
        elif kind == b"mpvd":
            yield from patches(data, orders, at, after)
        elif kind in _ROOM:
            yield from zeroed(data, at, after)
        elif kind not in _FILE:
            yield from freed(data, at, after)
    yield from zeroed(data, last, stop)


def end(data: Data, start: int) -> int:
    """Where the last box ends of the movie file that begins at `start` inside another file."""
    last = start
    for kind, _, after in boxes.walk(data, start, len(data)):
        if kind not in _FILE and kind not in (b"uuid", b"meta", b"udta"):
            break
        last = after
    return last


def freed(data: Data, at: int, after: int) -> Iterator[Patch]:
    """The box whose content stands from `at` to `after`, as a `free` box of zeros."""
    header = 16 if data[at - 16 : at - 12] == b"\0\0\0\1" and _is_wide(data, at, after) else 8
    name = at - header + 4
    yield Patch(name, name + 4, b"free")
    yield from zeroed(data, at, after)


def _is_wide(data: Data, at: int, after: int) -> bool:
    return int.from_bytes(data[at - 8 : at], "big") == after - at + 16


class _Walk:
    """One pass over a movie's descriptions."""

    def __init__(self, data: Data, orders: Orders, begin: int, is_fragmented: bool) -> None:
        self.data, self.orders = data, orders
        self.begin, self.is_fragmented = begin, is_fragmented

    def movie(self, start: int, end: int) -> Iterator[Patch]:
        for kind, at, after in boxes.walk(self.data, start, end):
            if kind == b"cmov":
                raise Invalid("The description of this film is packed and cannot be scrubbed.")
            if kind == b"trak":
                yield from self._track(at, after)
            elif kind == b"udta":
                yield from self._said(at, after)
            elif kind == b"meta":
                yield from self.meta(at, after)
            elif kind == b"uuid" and self.data[at : at + 16] == _XMP_UUID:
                yield from self.packet(at + 16, after)
            elif kind not in _MOVIE:
                yield from freed(self.data, at, after)

    def packet(self, start: int, end: int) -> Iterator[Patch]:
        old = self.data[start:end]
        yield Patch(start, end, xmp.scrubbed(old, self.orders, length=len(old)))

    # --- Tracks ---------------------------------------------------------------------------------

    def _track(self, start: int, end: int) -> Iterator[Patch]:
        if self._is_private(start, end):
            if self.is_fragmented:
                raise Invalid("This film's position is spread over its pieces; it is left alone.")
            yield from samples.blanked(self.data, (start, end), self.begin)
            yield from freed(self.data, start, end)
            return
        for kind, at, after in boxes.walk(self.data, start, end):
            if kind == b"udta":
                yield from self._said(at, after)
            elif kind == b"meta":
                yield from self.meta(at, after)
            elif kind not in _TRACK:
                yield from freed(self.data, at, after)

    def _is_private(self, start: int, end: int) -> bool:
        """A track that does not play, unless its keys are known to name nothing private."""
        mdia = boxes.find(self.data, (start, end), b"mdia")
        hdlr = boxes.find(self.data, mdia, b"hdlr")
        handler = self.data[hdlr[0] + 8 : hdlr[0] + 12] if hdlr else b""
        if handler in _PLAYS:
            return False
        stsd = boxes.find(self.data, mdia, b"minf", b"stbl", b"stsd")
        entry = stsd[0] + 8 if stsd else 0
        if stsd is None or self.data[entry + 4 : entry + 8] != b"mebx":
            return True
        described = self.data[entry : stsd[1]].decode("latin-1")
        return names.is_private_key(described, self.orders)

    # --- User data ------------------------------------------------------------------------------

    def _said(self, start: int, end: int) -> Iterator[Patch]:
        for kind, at, after in boxes.walk(self.data, start, end):
            if kind == b"meta":
                yield from self.meta(at, after)
            elif kind == b"XMP_":
                yield from self.packet(at, after)
            elif kind == b"\xa9xyz" and self.orders.location:
                yield from self._atom(at, after)
            elif kind == b"loci" and self.orders.location:
                yield from self._loci(at, after)
            elif not self._stays(kind):
                yield from freed(self.data, at, after)

    def _stays(self, kind: bytes) -> bool:
        if kind in _ARTISTS:
            return not self.orders.artist
        if kind in _OWNERS:
            return not self.orders.owner
        return kind in _SAID or (kind in (b"\xa9xyz", b"loci") and not self.orders.location)

    def _atom(self, start: int, end: int) -> Iterator[Patch]:
        """©xyz: length, language, and the text."""
        length = boxes.number(self.data, start, 2)
        text = self.data[start + 4 : min(start + 4 + length, end)]
        new = self._place(text)
        if new is None:
            yield from freed(self.data, start, end)
        else:
            yield Patch(start + 4, start + 4 + len(text), new)

    def _loci(self, start: int, end: int) -> Iterator[Patch]:
        """3GPP's place: language, name, role, longitude, latitude, altitude (16.16), notes."""
        name_end = self.data.find(b"\0", start + 6, end)
        at = name_end + 2
        if self.orders.grid_km is None or name_end < 0 or at + 12 > end:
            yield from freed(self.data, start, end)
            return
        lon, lat, _ = struct.unpack(">iii", self.data[at : at + 12])
        if not (abs(lat) <= 90 << 16 and abs(lon) <= 180 << 16):
            yield from freed(self.data, start, end)
            return
        near_lat, near_lon = rounded(lat / 65536, lon / 65536, self.orders.grid_km)
        yield Patch(start + 6, name_end, b" " * (name_end - start - 6))
        numbers = struct.pack(">iii", round(near_lon * 65536), round(near_lat * 65536), 0)
        yield Patch(at, end, numbers.ljust(end - at, b"\0"))

    def meta(self, start: int, end: int) -> Iterator[Patch]:
        """Apple's keys, iTunes' list, or XML of other makers, which goes as a whole."""
        is_plain = self.data[start + 4 : start + 8] == b"hdlr"
        inside = (start if is_plain else start + 4, end)
        keys = self._keys(boxes.find(self.data, inside, b"keys"))
        for kind, at, after in boxes.walk(self.data, *inside):
            if kind == b"ilst":
                yield from self._list(at, after, keys)
            elif kind in (b"xml ", b"bxml", b"ID32", b"uuid"):
                yield from freed(self.data, at, after)

    def _keys(self, span: _Span | None) -> list[str]:
        if span is None:
            return []
        found = boxes.walk(self.data, span[0] + 8, span[1])
        return [
            self.data[at : min(end, at + 256)].decode("utf-8", "replace") for _, at, end in found
        ]

    def _list(self, start: int, end: int, keys: list[str]) -> Iterator[Patch]:
        for kind, at, after in boxes.walk(self.data, start, end):
            number = int.from_bytes(kind, "big")
            name = keys[number - 1] if 0 < number <= len(keys) else ""
            is_place = name.endswith("location.ISO6709") or kind == b"\xa9xyz"
            goes = names.is_private_key(name, self.orders) if name else self._item_goes(kind)
            if is_place and self.orders.location:
                yield from self._item(at, after)
            elif kind == b"covr":
                yield from self._cover(at, after)
            elif goes and self._free_form(at, after) not in _GAPS:
                yield from freed(self.data, at, after)

    def _free_form(self, start: int, end: int) -> str:
        """The name of an item that programs name themselves."""
        value = boxes.find(self.data, (start, end), b"name")
        return self.data[value[0] + 4 : value[1]].decode("utf-8", "replace") if value else ""

    def _cover(self, start: int, end: int) -> Iterator[Patch]:
        """Each picture without what it tells; one that cannot be looked into goes."""
        from pipeline.metadata.scrub import pictures

        for kind, at, after in boxes.walk(self.data, start, end):
            clean = None
            if kind == b"data":
                clean = pictures.scrubbed(self.data[at + 8 : after], self.orders)
            if clean is None:
                yield from freed(self.data, at, after)
            else:
                yield Patch(at + 8, after, clean)

    def _item_goes(self, kind: bytes) -> bool:
        is_artist = kind in _ARTISTS and self.orders.artist
        is_place = kind in (b"\xa9xyz", b"loci") and self.orders.location
        return is_artist or is_place or (kind in _OWNERS and self.orders.owner)

    def _item(self, start: int, end: int) -> Iterator[Patch]:
        value = boxes.find(self.data, (start, end), b"data")
        text = self.data[value[0] + 8 : value[1]] if value else b""
        new = self._place(text)
        if new is None or value is None:
            yield from freed(self.data, start, end)
        else:
            yield Patch(value[0] + 8, value[1], new)

    def _place(self, text: bytes) -> bytes | None:
        """ISO 6709 text of the same length for the rounded position; None where it goes."""
        if self.orders.grid_km is None:
            return None
        place = places.from_iso6709(text.decode("latin-1").rstrip("\0"))
        mark = "/" if text.endswith(b"/") else ""
        digits = len(text) - len("+00.+000.") - len(mark)
        # So many that the nearest text is still the same point of the grid.
        least = max(1, math.ceil(math.log10(2 * KM_PER_DEGREE / self.orders.grid_km)))
        if place is None or digits < 2 * least:
            return None
        lat, lon = rounded(place[0], place[1], self.orders.grid_km)
        first = digits // 2
        told = f"{lat:+0{first + 4}.{first}f}{lon:+0{digits - first + 5}.{digits - first}f}{mark}"
        return told.encode() if len(told) == len(text) else None
