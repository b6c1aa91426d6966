"""A decoded picture, as every stage sees it: upright, sRGB, eight bits.

A decoder hands over pixels as they were stored, and what is still to be done to them: turn them
upright, bring their colours to sRGB. `Picture` does both exactly once and as late as possible,
because turning and colouring a small picture costs a fraction of the same on a large one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, TypeAlias

from numpy.typing import NDArray

from pipeline.codecs import orient, resize

# Height x width x 3, RGB, uint8; OpenCV's own types cannot say more than "an array".
Pixels: TypeAlias = NDArray[Any]
Content: TypeAlias = bytes | BinaryIO  # a whole file: held in memory, or seekable where it is large
Develop: TypeAlias = Callable[[Pixels], Pixels]  # stored colours to sRGB, pixel by pixel


@dataclass(frozen=True, slots=True)
class Stored:
    """What a decoder delivers.

    `width` and `height` are of the whole picture as stored; the pixels may be scaled down by 2, 4
    or 8. `orientation` is EXIF's 1..8. `damage` says for a person why part of it is missing.
    """

    pixels: Pixels
    width: int
    height: int
    orientation: int = 1
    develop: Develop | None = None
    damage: str | None = None


class Picture:
    """A picture ready to be shown. `width` and `height` are its full size, upright."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._fitted: dict[int, Pixels] = {}
        is_turned = orient.swaps_sides(stored.orientation)
        sides = stored.width, stored.height
        self.width, self.height = reversed(sides) if is_turned else sides
        self.damage = stored.damage

    @property
    def long_side(self) -> int:
        """Of the pixels at hand."""
        height, width, _ = self._stored.pixels.shape
        return max(int(height), int(width))

    @property
    def is_full(self) -> bool:
        """True when the pixels are not scaled down."""
        return self.long_side >= max(self.width, self.height)

    @cached_property
    def pixels(self) -> Pixels:
        """Every pixel at hand, upright, in sRGB."""
        return self._finished(self._stored.pixels)

    def fit(self, long_side: int) -> Pixels:
        """The picture with a long side of `long_side`, or at its full size if that is smaller."""
        long_side = min(long_side, max(self.width, self.height))
        if long_side not in self._fitted:
            stored = self._stored
            whole = stored.width, stored.height
            small = resize.shrink(stored.pixels, resize.fitted(whole, long_side), whole)
            self._fitted[long_side] = self._finished(small)
        return self._fitted[long_side]

    def _finished(self, pixels: Pixels) -> Pixels:
        developed = self._stored.develop(pixels) if self._stored.develop else pixels
        return orient.upright(developed, self._stored.orientation)
