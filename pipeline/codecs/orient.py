"""EXIF's eight orientations: reading the number, and turning pixels upright."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

Box: TypeAlias = tuple[float, float, float, float]  # left, top, width, height as fractions

_TAG = 0x0112
_BACK = {6: 8, 8: 6}  # the others undo themselves
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


def as_stored(pixels: Pixels, orientation: int) -> Pixels:
    """What `upright` makes `pixels` of."""
    return upright(pixels, _BACK.get(orientation, orientation))


def box_as_stored(box: Box, orientation: int) -> Box:
    """Where a box (left, top, width, height as fractions) of the upright picture lies in it."""
    x, y, width, height = box
    if swaps_sides(orientation):
        across, down = (y, height), (x, width)
        is_mirrored, is_upside_down = orientation in (7, 8), orientation in (6, 7)
    else:
        across, down = (x, width), (y, height)
        is_mirrored, is_upside_down = orientation in (2, 3), orientation in (3, 4)
    left = 1 - sum(across) if is_mirrored else across[0]
    top = 1 - sum(down) if is_upside_down else down[0]
    return left, top, across[1], down[1]


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
