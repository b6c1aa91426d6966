"""Parts of a picture made unrecognisable for good.

What is hidden is averaged to a few squares, drowned in noise that nobody can repeat, and smoothed.
Averages of a handful of squares are all that is left: no sharpening brings back what they were
made of. Nothing outside of the hidden parts changes.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import resize  # noqa: F401 - sets OpenCV's threads: a slot is one core

Shape = Literal["ellipse", "box"]

MARGIN = 0.25  # of the box on each side: an ellipse of 1.5 the size still covers the whole box
_WIDER = 0.15  # ... more with every step of strength
_CELLS = 6  # along the short side; less with every step of strength
_NOISE, _TINT = 0.06, 0.015  # of full brightness, one standard deviation
FLAT = 3  # from this strength on only the colour of the surroundings is left
_SQUARE = 5  # ... and the shape is no head's any more
STRONGEST = 6


@dataclass(frozen=True, slots=True)
class Hidden:
    """A part to hide: left, top, right, bottom in pixels, and how thoroughly (0 ... STRONGEST).

    `noise` is told to nobody: who knows it could take the noise away again.
    """

    box: tuple[float, float, float, float]
    strength: int = 0
    noise: int = field(default_factory=partial(secrets.randbits, 128), repr=False)

    def stronger(self) -> Hidden:
        """The same, wider and coarser, in other noise."""
        return Hidden(self.box, min(self.strength + 1, STRONGEST))

    def region(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The pixels that change, inside of a picture of this size."""
        left, top, right, bottom = self.box
        margin = MARGIN + _WIDER * self.strength
        across, down = (right - left) * margin, (bottom - top) * margin
        return (
            max(0, math.floor(left - across)),
            max(0, math.floor(top - down)),
            min(width, math.ceil(right + across)),
            min(height, math.ceil(bottom + down)),
        )


def hide(samples: NDArray[Any], parts: Iterable[Hidden], shape: Shape = "ellipse") -> NDArray[Any]:
    """A copy of `samples` (H x W x 1, 3 or 4; 8 or 16 bits) in which `parts` are hidden.

    Transparency stays as it is; the colours under it are hidden too.
    """
    out = samples.copy()
    height, width = out.shape[:2]
    for part in parts:
        left, top, right, bottom = part.region(width, height)
        if right - left < 1 or bottom - top < 1:
            continue
        colours = min(3, out.shape[2])
        region = out[top:bottom, left:right, :colours].astype(np.float32)
        cover = _cover(part, (left, top, right, bottom), shape)[..., None]
        mixed = region * (1 - cover) + _smeared(region, part, _top(out)) * cover
        out[top:bottom, left:right, :colours] = np.clip(mixed + 0.5, 0, _top(out))
    return out


def _top(samples: NDArray[Any]) -> float:
    return 65535.0 if samples.dtype == np.uint16 else 255.0


def _smeared(region: NDArray[np.float32], part: Hidden, top: float) -> NDArray[np.float32]:
    if part.strength >= FLAT:
        return _surroundings(region)
    height, width = region.shape[:2]
    cell = max(1.0, min(height, width) / max(1, _CELLS - 2 * part.strength))
    size = max(1, round(width / cell)), max(1, round(height / cell))
    cells = cv2.resize(region, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
    rng = np.random.default_rng(part.noise)
    grey = rng.normal(0, _NOISE * top, (*cells.shape[:2], 1))
    tint = rng.normal(0, _TINT * top, cells.shape)
    noisy = np.asarray(cells + grey + tint, np.float32)
    large = cv2.resize(noisy, (width, height), interpolation=cv2.INTER_NEAREST)
    soft = cv2.GaussianBlur(large, (0, 0), cell / 2.5)
    return np.asarray(np.clip(soft, 0, top), np.float32).reshape(region.shape)


def _surroundings(region: NDArray[np.float32]) -> NDArray[np.float32]:
    """Nothing of the face at all: the mean colour of the region's edge."""
    edge = (region[0], region[-1], region[:, 0], region[:, -1])
    mean = np.concatenate(edge).mean(axis=0)
    return np.broadcast_to(mean, region.shape).astype(np.float32)


def _cover(part: Hidden, region: tuple[int, int, int, int], shape: Shape) -> NDArray[np.float32]:
    """1 where all is hidden, 0 where nothing is; the edge is soft outside of the box only."""
    left, top, right, bottom = region
    height, width = bottom - top, right - left
    if shape == "box" or part.strength >= _SQUARE:
        return np.ones((height, width), np.float32)
    x0, y0, x1, y1 = part.box
    centre = (x0 + x1) / 2 - left, (y0 + y1) / 2 - top
    wide, tall = max(1.0, (x1 - x0) / 2), max(1.0, (y1 - y0) / 2)
    across = (np.arange(width, dtype=np.float32) + 0.5 - centre[0]) / wide
    down = (np.arange(height, dtype=np.float32) + 0.5 - centre[1]) / tall
    distance = np.sqrt(across[None, :] ** 2 + down[:, None] ** 2)
    edge = math.sqrt(2) + 2 * _WIDER * part.strength  # the ellipse through the box's corners
    return np.asarray(np.clip((edge + 0.15 - distance) / 0.15, 0, 1), np.float32)
