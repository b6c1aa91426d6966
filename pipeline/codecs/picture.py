"""A decoded picture, as every stage sees it: upright, sRGB, eight bits.

Orientation, colour profile, transparency and dynamic range are dealt with before a picture gets
this type, exactly once; whoever holds one may show it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]  # height x width x 3, RGB
Content: TypeAlias = bytes | BinaryIO  # a whole file: held in memory, or seekable where it is large


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels at the scale that was asked for or above; `width` and `height` are the full size.

    `damage` says, for a person, why part of the picture is missing; None when it is whole.
    """

    pixels: Pixels
    width: int
    height: int
    damage: str | None = None

    @property
    def is_full(self) -> bool:
        """True when the pixels are not scaled down."""
        return self.long_side >= max(self.width, self.height)

    @property
    def long_side(self) -> int:
        """Of the pixels at hand."""
        height, width, _ = self.pixels.shape
        return max(int(height), int(width))
