"""JPEG in and out through libjpeg-turbo, scaled while decoding.

Only 1/2, 1/4 and 1/8 are used: other factors are slower and look worse. A truncated file still
gives the part that is there, with `damage` saying so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import simplejpeg

from pipeline.codecs import colour, limits, orient
from pipeline.codecs.border import decoding, said
from pipeline.codecs.picture import Stored
from pipeline.errors import TooBig

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

_SHRINKS = (8, 4, 2, 1)
_STANDALONE = frozenset((0x01, 0xD8, *range(0xD0, 0xD8)))
_FILL, _START_OF_SCAN, _END = 0xFF, 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
# Warnings after which every pixel is still there.
_HARMLESS = ("extraneous bytes before marker", "invalid sos parameters", "unknown adobe")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the picture data."""

    orientation: int | None  # None where the file does not say
    profile: bytes | None
    components: int
    is_progressive: bool


def decode(data: bytes, at_least: int | None) -> Stored:
    """The picture at the smallest scale whose long side is `at_least`; None for full size.

    Raises `BadMedia`. CMYK is not for here: see `has_four_inks`.
    """
    with decoding():
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=False)
        limits.require_decodable(width, height)
        head = read_head(data)
        if head.is_progressive and data.count(b"\xff\xda") > limits.MOST_SCANS:
            raise TooBig("The picture is built up in more steps than any camera writes.")
        shrink = _shrink(max(width, height), at_least)
        pixels, damage = _pixels(data, -(-height // shrink), -(-width // shrink))
    return Stored(
        pixels, width, height, head.orientation or 1, colour.from_icc(head.profile), damage
    )


def encode(pixels: Pixels, quality: int) -> bytes:
    """Baseline JPEG with halved chroma, without any metadata: derivatives tell no secrets."""
    data: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality, colorspace="RGB", colorsubsampling="420"
    )
    return data


def size(data: bytes) -> tuple[int, int]:
    """Width and height as stored. Raises `DecodeFailed`."""
    with decoding():
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    return width, height


def has_four_inks(data: bytes) -> bool:
    """True for CMYK, which printers' files use and libjpeg-turbo does not turn into RGB."""
    return read_head(data).components == 4


def read_head(data: bytes) -> Head:
    """Orientation, profile and kind, without touching the picture; damage only shortens it."""
    orientation, profile, components, is_progressive = None, [], 3, False
    for marker, start, end in _segments(data):
        if marker == 0xE1 and data[start : start + 6] == b"Exif\0\0":
            orientation = orientation or orient.from_tiff(data[start + 6 : end])
        elif marker == 0xE2 and data[start : start + 12] == b"ICC_PROFILE\0":
            profile.append((data[start + 12], data[start + 14 : end]))
        elif marker in _FRAMES:
            components, is_progressive = data[start + 5], marker in _PROGRESSIVE
    joined = b"".join(part for _, part in sorted(profile))
    return Head(orientation, joined or None, components, is_progressive)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment's content up to the first scan."""
    at, end = 2, min(len(data), limits.MOST_METADATA)
    while at + 4 <= end:
        if data[at] != _FILL:
            at = data.find(b"\xff", at, end)  # stray bytes: decoders skip them too
            if at < 0:
                return
            continue
        marker = data[at + 1]
        if marker in (_START_OF_SCAN, _END):
            return
        if marker in _STANDALONE or marker in (0x00, _FILL):
            at += 1 if marker == _FILL else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if at + 2 + length <= end and length >= 8:
            yield marker, at + 4, at + 2 + length
        at += 2 + max(length, 2)


def _shrink(long_side: int, at_least: int | None) -> int:
    if at_least is None:
        return 1
    return next((s for s in _SHRINKS if -(-long_side // s) >= at_least), 1)


def _pixels(data: bytes, height: int, width: int) -> tuple[Pixels, str | None]:
    options: dict[str, Any] = {"colorspace": "RGB", "min_height": height, "min_width": width}
    try:
        return simplejpeg.decode_jpeg(data, **options), None
    except ValueError as error:
        complaint = said(error)
    pixels = simplejpeg.decode_jpeg(data, **options, strict=False)
    return pixels, _damage(complaint.lower())


def _damage(complaint: str) -> str | None:
    if any(words in complaint for words in _HARMLESS):
        return None
    if "premature end" in complaint:
        return (
            "Part of the picture is missing: the file ends, or has a gap, before the picture does."
        )
    return f"Part of the picture is damaged ({complaint})."
