"""Making pictures smaller: as good as Lanczos, at a fraction of its cost.

Large steps go through exact averages of 2x2 pixels and the like; the last step, below two, is a
short Lanczos low-pass on the source grid followed by bicubic sampling. Measured on camera JPEGs:
within 2 SSIMULACRA2 points of Pillow's Lanczos for a fifth of its CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

Size = tuple[int, int]  # width, height

_LOBES = 3.0
_TAPS = 5
_PASSES_ALL = 1.15  # below this ratio nothing aliases that bicubic would not show anyway

cv2.setNumThreads(1)  # a slot is one core


def fitted(size: Size, long_side: int) -> Size:
    """`size` brought to a long side of `long_side`, never enlarged, never below one pixel."""
    ratio = min(1.0, long_side / max(size))
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


def shrink(pixels: Pixels, to: Size, whole: Size | None = None) -> Pixels:
    """`pixels` at the size `to`, which is not larger.

    `whole` is the size of the picture that the pixels are a scaled version of. JPEG decoders round
    scaled sizes up, so the last row and column may stand for a fraction of a pixel; ignoring that
    shifts the picture by up to half a pixel and costs up to 30 SSIMULACRA2 points.
    """
    extent = _extent(pixels, whole)
    if (pixels.shape[1], pixels.shape[0]) == to:
        return pixels
    steps = _whole_steps(extent, to)
    if steps > 1:
        pixels, extent = _averaged(pixels, extent, steps)
    ratio = max(extent[0] / to[0], extent[1] / to[1])
    if ratio > _PASSES_ALL:
        kernel = _low_pass(ratio)
        pixels = cv2.sepFilter2D(pixels, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    scale = to[0] / extent[0], to[1] / extent[1]
    sampled = cv2.resize(pixels, None, fx=scale[0], fy=scale[1], interpolation=cv2.INTER_CUBIC)
    return _exactly(sampled, to)


def _extent(pixels: Pixels, whole: Size | None) -> tuple[float, float]:
    height, width = pixels.shape[:2]
    if whole is None:
        return float(width), float(height)
    factor = max(1, round(max(whole) / max(width, height)))
    return whole[0] / factor, whole[1] / factor


def _whole_steps(extent: tuple[float, float], to: Size) -> int:
    return int(min(extent[0] / to[0], extent[1] / to[1]))


def _averaged(
    pixels: Pixels, extent: tuple[float, float], steps: int
) -> tuple[Pixels, tuple[float, float]]:
    """Means of `steps` x `steps` pixels; the last ones are repeated to fill their square."""
    height, width = pixels.shape[:2]
    size = -(-width // steps), -(-height // steps)
    right, below = size[0] * steps - width, size[1] * steps - height
    if right or below:
        pixels = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE)
    means = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return means, (extent[0] / steps, extent[1] / steps)


def _low_pass(ratio: float) -> NDArray[np.float32]:
    at = np.arange(-(_TAPS // 2), _TAPS // 2 + 1) / ratio
    kernel = np.sinc(at) * np.sinc(at / _LOBES) * (np.abs(at) < _LOBES)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _exactly(pixels: Pixels, to: Size) -> Pixels:
    """OpenCV rounds the size it was not given: cut or repeat the last row or column."""
    height, width = pixels.shape[:2]
    right, below = max(0, to[0] - width), max(0, to[1] - height)
    if right or below:
        pixels = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(pixels[: to[1], : to[0]])
