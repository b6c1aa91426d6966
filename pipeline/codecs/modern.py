"""JPEG XL and JPEG XR. Sizes are read from the headers before any decoder sees the file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.codecs import colour, limits
from pipeline.codecs.border import decoding
from pipeline.codecs.picture import Stored
from pipeline.codecs.samples import as_rgb
from pipeline.errors import DecodeFailed
from pipeline.metadata import boxes, light

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # ISO 18181-1, D.2
_SIZES = (9, 13, 18, 30)  # bits of a side, by its two bit selector
_WIDTH, _HEIGHT = 0xBC80, 0xBC81  # JPEG XR's tags
_MOST_TAGS = 256


def decode_jxl(data: bytes) -> Stored:
    """The first frame; the decoder turns it upright itself. Raises `BadMedia`."""
    import imagecodecs

    with decoding():
        require_decodable_jxl(data)
        stored = _stored(imagecodecs.jpegxl_decode(data, index=0, numthreads=1))
        return replace(stored, develop=colour.from_codes(*light.of_jxl(data)))


def require_decodable_jxl(data: bytes) -> None:
    """Raise `BadMedia` for a JPEG XL that claims more than is decoded."""
    limits.require_decodable(*_jxl_size(_codestream(data)))


def holds_jpeg(data: bytes) -> bool:
    """True for a JPEG XL that was made of a JPEG and can give it back."""
    return data[4:8] == b"JXL " and boxes.find(data, (0, len(data)), b"jbrd") is not None


def jpeg_in(data: bytes) -> bytes:
    """The JPEG in such a file, bit by bit. Raises `DecodeFailed` where there is none."""
    import imagecodecs

    with decoding():
        return bytes(imagecodecs.jpegxl_decode_jpeg(data, numthreads=1))


def decode_jxr(data: bytes) -> Stored:
    """The picture as stored. Raises `BadMedia`."""
    import imagecodecs

    with decoding():
        limits.require_decodable(*_jxr_size(data))
        samples = imagecodecs.jpegxr_decode(data)
        is_light = samples.dtype.kind == "f" and samples.ndim == 3
        return _stored(colour.from_light(samples) if is_light else samples)


def _stored(samples: Any) -> Stored:
    pixels = as_rgb(samples)
    height, width, _ = pixels.shape
    return Stored(pixels, width, height)


def _codestream(data: bytes) -> bytes:
    """The beginning of the bare codestream, which may lie in a box of a container."""
    if data[:2] == b"\xff\x0a":
        return data[2:32]
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        header = 8
        if length == 1:
            length, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        start = at + header + (4 if kind == b"jxlp" else 0)
        if kind in (b"jxlc", b"jxlp"):
            return data[start + 2 : start + 32]
        if length < header:
            break
        at += length
    raise DecodeFailed("The file holds no picture.")


def _jxl_size(stream: bytes) -> tuple[int, int]:
    """ISO 18181-1, SizeHeader: bits are taken from the low end of each byte."""
    bits, at = int.from_bytes(stream, "little"), 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return bits >> (at - count) & (1 << count) - 1

    def side(is_small: int) -> int:
        return 8 * (take(5) + 1) if is_small else take(_SIZES[take(2)]) + 1

    is_small = take(1)
    height = side(is_small)
    ratio = take(3)
    if ratio == 0:
        return side(is_small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _jxr_size(data: bytes) -> tuple[int, int]:
    at = int.from_bytes(data[4:8], "little")
    count = min(int.from_bytes(data[at : at + 2], "little"), _MOST_TAGS)
    sides = {_WIDTH: 0, _HEIGHT: 0}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag = int.from_bytes(data[entry : entry + 2], "little")
        is_short = data[entry + 2 : entry + 4] == b"\3\0"
        if tag in sides:
            end = entry + (10 if is_short else 12)
            sides[tag] = int.from_bytes(data[entry + 8 : end], "little")
    return sides[_WIDTH], sides[_HEIGHT]
