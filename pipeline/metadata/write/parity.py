"""What an original says about itself and a copy does not: the metadata half of the gate.

Compared as values, not as bytes, because containers store them differently. What a format cannot
carry stands in `containers.CARRIES`; what a re-encoding has to change stands in the sets below, and
everything else that is missing or different is named.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.errors import BadMedia
from pipeline.metadata import iptc, rdf
from pipeline.metadata.exif import EXIF, GPS
from pipeline.metadata.facts import DateEvidence, Facts, TakenFrom
from pipeline.metadata.tiff import Entry, Ifd, Tiff
from pipeline.metadata.write import containers, copy
from pipeline.metadata.write.blocks import Blocks
from pipeline.model import Json

_MAKER_NOTE = 0x927C
# What the main directory says about the shot. The rest of it describes how pixels are stored.
_MAIN = frozenset(
    (
        *(0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298),
        *(0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
    )
)
# Of the Exif directory: colour space, sizes, interoperability pointer, padding.
_CHANGES = frozenset((0xA001, 0xA002, 0xA003, 0xA005, 0xEA1C))
_XMP_CHANGES = frozenset(
    (
        *copy.PARTS,
        *copy.THUMBNAILS,
        *("tiff:Orientation", "tiff:ImageWidth", "tiff:ImageLength", "exif:PixelXDimension"),
        *("exif:PixelYDimension", "exif:ColorSpace", "xmpNote:HasExtendedXMP"),
    )
)
_WORDS = ("make", "model", "lens", "rating", "title", "description", "keywords", "people")
_NEAR = 1e-5  # degrees; about a metre
_NAMES = {0x9003: "when it was taken", 0x9004: "when it was digitised", 0x0132: "when it changed"}


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that a copy lacks: "date", "gps", "pairing", "icc", "exif", "xmp" or "iptc"."""

    what: str
    detail: str  # for a person, to follow "The copy does not say"


def of_facts(original: Facts, copied: Facts) -> Iterator[Loss]:
    """What both a picture and a video can lose."""
    is_film = original.duration_s is not None and copied.duration_s is not None
    surest = max(_told(original, is_film), key=lambda date: date.confidence, default=None)
    if surest is not None and surest.local not in {d.local for d in _told(copied, is_film)}:
        yield Loss("date", "when it was taken")
    for place in original.places:
        if not any(_is_near(place.lat, place.lon, p.lat, p.lon) for p in copied.places):
            yield Loss("gps", "where it was taken")
            break
    for name, detail in (("content_id", "which Live Photo"), ("burst_id", "which burst")):
        if getattr(original, name) not in (None, getattr(copied, name)):
            yield Loss("pairing", f"{detail} it belongs to")
    for name in _WORDS:
        if not _covers(getattr(original, name), getattr(copied, name)):
            yield Loss("words", f"its {name}")


def of_blocks(
    original: Blocks, copied: Blocks, kind: str, *, keeps_colours: bool
) -> Iterator[Loss]:
    """What a picture's copy of the format `kind` has lost although it could carry it."""
    able = containers.CARRIES.get(kind, frozenset())
    if "exif" in able:
        yield from _exif(original.exif, copied.exif, is_rewritten=kind == "tiff")
    if "xmp" in able:
        yield from _xmp(original.whole_xmp, copied.whole_xmp)
    words = iptc.texts(original.iptc or b"")
    if "iptc" in able and words and words != iptc.texts(copied.iptc or b""):
        yield Loss("iptc", "the words its original has as IPTC")
    if "icc" in able and kind not in containers.PROFILE_IN_PICTURE:
        yield from _icc(original.icc, copied.icc, keeps_colours=keeps_colours)


def _told(facts: Facts, is_film: bool) -> Iterator[DateEvidence]:
    """Dates of the shot; a container's own counts where both are films."""
    own = {TakenFrom.MTIME, TakenFrom.NAME} | (set() if is_film else {TakenFrom.CONTAINER})
    return (date for date in facts.dates if date.source not in own)


def _is_near(lat: float, lon: float, other_lat: float, other_lon: float) -> bool:
    return abs(lat - other_lat) < _NEAR and abs(lon - other_lon) < _NEAR


def _covers(before: Json, after: Json) -> bool:
    if isinstance(before, tuple):
        return set(before) <= set(after)
    return before is None or before == after


def _icc(before: bytes | None, after: bytes | None, *, keeps_colours: bool) -> Iterator[Loss]:
    if keeps_colours and before and before != after:
        yield Loss("icc", "in which colours it is stored")
    if not keeps_colours and after and after == before and b"sRGB" not in after.replace(b"\0", b""):
        yield Loss("icc", "that its colours were changed to those of ordinary screens")


def _xmp(before: bytes | None, after: bytes | None) -> Iterator[Loss]:
    wanted, there = _properties(before), _properties(after)
    for name, value in wanted.items():
        is_ours = name in _XMP_CHANGES or name.startswith("hdrgm:")
        if not is_ours and there.get(name) != value:
            yield Loss("xmp", f"what its original calls {name}")
            return  # one sentence is enough


def _properties(packet: bytes | None) -> Mapping[str, rdf.Value]:
    try:
        return rdf.properties(packet) if packet else {}
    except BadMedia:
        return {}


def _exif(before: bytes | None, after: bytes | None, *, is_rewritten: bool) -> Iterator[Loss]:
    wanted = _directories(before)
    if wanted is None:
        return
    there = _directories(after)
    if there is None:
        yield Loss("exif", "anything of its original's EXIF")
        return
    for number, ((tiff, old), (other, new)) in enumerate(zip(wanted, there, strict=True)):
        for tag in sorted(old):
            if _is_compared(number, tag, is_rewritten=is_rewritten) and not _is_same(
                (tiff, old[tag]), (other, new.get(tag))
            ):
                what = "gps" if number == 2 else "exif"
                yield Loss(what, _NAMES.get(tag, f"its EXIF value 0x{tag:04X}"))


def _is_compared(directory: int, tag: int, *, is_rewritten: bool) -> bool:
    if directory == 0:
        return tag in _MAIN
    if directory == 1:
        return tag not in _CHANGES and not (is_rewritten and tag == _MAKER_NOTE)
    return True


_Directory = tuple[Tiff, Ifd]


def _directories(block: bytes | None) -> tuple[_Directory, _Directory, _Directory] | None:
    """Main, Exif and GPS; None where there is no EXIF that could be read."""
    if not block:
        return None
    try:
        tiff = Tiff(block)
    except BadMedia:
        return None
    main, _ = tiff.ifd(tiff.first)
    exif, _ = tiff.ifd(tiff.integer(main.get(EXIF)) or 0)
    gps, _ = tiff.ifd(tiff.integer(main.get(GPS)) or 0)
    return (tiff, main), (tiff, exif), (tiff, gps)


def _is_same(before: tuple[Tiff, Entry], after: tuple[Tiff, Entry | None]) -> bool:
    """A value that the original itself does not hold is not missed."""
    raw = _value(*before)
    return not raw or raw == _value(*after)


def _value(tiff: Tiff, entry: Entry | None) -> object:
    if entry is None:
        return None
    if entry[0] in (2, 7):
        return tiff.raw(entry).rstrip(b"\0 ")
    numbers = tiff.numbers(entry, 64)
    return tuple(None if math.isnan(number) else round(number, 6) for number in numbers)
