"""From a file and a person's wishes to the bytes that must change, and the proof that it is done.

`plan` refuses with a reason where it cannot promise everything; `proof` looks at the result anew.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.errors import BadMedia, Invalid
from pipeline.metadata.findings import Data
from pipeline.metadata.read import read
from pipeline.metadata.scrub import (
    exif,
    gif,
    heif,
    jpeg,
    jxl,
    matroska,
    ogg,
    png,
    quicktime,
    riff,
    sound,
    webp,
    xmp,
)
from pipeline.metadata.scrub.wishes import Orders, Wishes, distance_km, orders, rounded
from pipeline.metadata.write.patch import Patch
from pipeline.model import Format

_Scrubber = Callable[[Data, Orders], Iterator[Patch]]

# RAW files of other makers are left alone: no file of theirs was there to prove anything on.
SCRUBBERS: Mapping[str, _Scrubber] = {
    **dict.fromkeys(("jpeg", "thm"), jpeg.patches),
    "tiff": exif.patches,
    **dict.fromkeys(("dng", "cr2", "nef", "pef", "rw2"), exif.raw),
    "gif": gif.patches,
    **dict.fromkeys(("png", "apng"), png.patches),
    "webp": webp.patches,
    "jxl": jxl.patches,
    **dict.fromkeys(("heic", "heif", "avif"), heif.patches),
    **dict.fromkeys(("mp4", "mov", "m4v", "3gp", "m4a"), quicktime.patches),
    **dict.fromkeys(("mkv", "webm", "mka", "weba"), matroska.patches),
    "avi": riff.avi,
    "wav": riff.wav,
    "mp3": sound.mp3,
    "flac": sound.flac,
    **dict.fromkeys(("ogg", "opus"), ogg.patches),
    "xmp": xmp.patches,
}
_NEAR_KM = 0.005  # rounding of what formats store


@dataclass(frozen=True, slots=True)
class Plan:
    """What to change; `is_wished` is False where the wishes do not concern this file."""

    patches: tuple[Patch, ...]
    is_wished: bool
    orders: Orders


def plan(data: Data, fmt: Format, wishes: Wishes) -> Plan:
    """Everything that must change in `data`. Raises `Invalid` where nothing can be promised."""
    scrubber = SCRUBBERS.get(fmt.name)
    if scrubber is None:
        raise Invalid(
            f"Files of the kind {fmt.name} cannot be scrubbed safely; this one is left alone.",
            hint="Convert it first, and scrub the copy.",
        )
    wanted = orders(wishes, _places(data, fmt))
    if wanted.is_idle:
        return Plan((), False, wanted)
    try:
        changes = tuple(p for p in scrubber(data, wanted) if data[p.start : p.end] != p.data)
    except (struct.error, IndexError, BadMedia) as error:
        raise Invalid("This file is damaged, so that nothing can be promised.") from error
    return Plan(changes, True, wanted)


def proof(made: Data, fmt: Format, wishes: Wishes, before: Plan) -> None:
    """Raise `Invalid` unless nothing private is left in the scrubbed file.

    Scrubbing it again must change nothing, and no position may be read from it but rounded ones.
    """
    if plan(made, fmt, wishes).patches:
        raise Invalid("The copy would still have told something private; none was made.")
    if not before.orders.location:
        return
    km = before.orders.grid_km
    for lat, lon in _places(made, fmt):
        if km is None or distance_km(lat, lon, *rounded(lat, lon, km)) > _NEAR_KM:
            raise Invalid("The copy would still have told its place; none was made.")


def _places(data: Data, fmt: Format) -> list[tuple[float, float]]:
    return [(place.lat, place.lon) for place in read(data, fmt).places]
