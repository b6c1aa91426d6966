"""A face as the embedding wants it: a square around its box, upright, enlarged or reduced."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels
    from pipeline.vision.faces.peaks import Face

MARGIN = 1.2  # sides of the square over the longer side of the box
_FINER = 2.0  # reduced in two steps above this, so that nothing aliases


def roll(face: Face) -> float:
    """How far the face is turned in the plane of the picture, clockwise, in radians.

    From the middle of the eyes to the middle of the mouth: longer, and so less noisy, than the
    line between the eyes, and not foreshortened when the head is turned to the side.
    """
    eyes, mouth = _middle(face.landmarks[:2]), _middle(face.landmarks[3:])
    return -math.atan2(mouth[0] - eyes[0], mouth[1] - eyes[1])


def square(pixels: Pixels, face: Face, side: int) -> Pixels:
    """The square around the face, `side` pixels wide, turned upright.

    What lies outside of the picture is filled with its nearest pixels.
    """
    left, top, right, bottom = face.box
    extent = max(right - left, bottom - top, 1.0) * MARGIN
    centre = (left + right) / 2, (top + bottom) / 2
    if extent > side * _FINER:
        return cv2.resize(
            _warped(pixels, centre, extent, roll(face), round(extent)),
            (side, side),
            interpolation=cv2.INTER_AREA,
        )
    return _warped(pixels, centre, extent, roll(face), side)


def _warped(
    pixels: Pixels, centre: tuple[float, float], extent: float, angle: float, side: int
) -> Pixels:
    """Pixel centres are whole numbers for OpenCV, hence the halves."""
    scale = extent / side
    cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
    middle = (side - 1) / 2
    x = centre[0] - 0.5 - cosine * middle + sine * middle
    y = centre[1] - 0.5 - sine * middle - cosine * middle
    to_source = np.array([[cosine, -sine, x], [sine, cosine, y]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        pixels, to_source, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


def _middle(points: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    (ax, ay), (bx, by) = points
    return (ax + bx) / 2, (ay + by) / 2
