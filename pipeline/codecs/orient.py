"""EXIF's eight orientations: reading the number, and turning pixels upright."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

_TAG = 0x0112
_FLIPS = {2: 1, 3: -1, 4: 0, 7: -1}  # cv2.flip: 1 left-right, 0 top-bottom, -1 both
_MOST_ENTRIES = 512


def swaps_sides(orientation: int) -> bool:
    """True where width and height change places."""
    return 5 <= orientation <= 8


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """`pixels` as a person held the camera; any other number than 2..8 changes nothing."""
    if not 2 <= orientation <= 8:
        return pixels
    if orientation == 6:
        return cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
    if orientation == 8:
        return cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)
    if swaps_sides(orientation):
        pixels = cv2.transpose(pixels)
    return cv2.flip(pixels, _FLIPS[orientation]) if orientation in _FLIPS else pixels


def from_tiff(data: bytes) -> int:
    """The orientation in the first directory of a TIFF structure (EXIF, and most RAW files).

    1 where there is none or it is damaged; never raises.
    """
    order = {b"II": "little", b"MM": "big"}.get(data[:2])
    if order is None:
        return 1
    at = _number(data, 4, 4, order)
    count = min(_number(data, at, 2, order), _MOST_ENTRIES)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if _number(data, entry, 2, order) == _TAG:
            value = _number(data, entry + 8, 2, order)
            return value if 1 <= value <= 8 else 1
    return 1


def _number(data: bytes, at: int, length: int, order: str) -> int:
    return int.from_bytes(data[at : at + length], "little" if order == "little" else "big")
