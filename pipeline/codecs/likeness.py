"""Do two pictures show the same thing the same way up? Coarse on purpose: no re-encoding changes
what is looked at here, another picture, a turn or a missing part does.

How good a copy looks is for SSIMULACRA2 to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import orient, resize

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

_SIDE, _LEAST_SIDE = 128, 16
_CELLS = 8
_MOST = 9.0  # levels of 255, on average: JPEG 15 stays below 8, another frame of a burst above 40
_MOST_IN_CELL = 30.0  # ... and in its worst cell: a grey bar at the bottom differs by more
_CLEARLY_BETTER = 0.6  # another way up that differs by this share of it is the right one
_SAME_ENOUGH = 1.5  # below this nothing can be told apart anyway
_PATTERN = 0.85  # correlation of what varies; pictures of one flat colour have none
_FLAT = 4.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """`mean` and `worst` differences in levels of 255, and the turn (EXIF) that would fit better,
    1 where none does.
    """

    mean: float
    worst: float
    pattern: float
    turned: int

    @property
    def is_same(self) -> bool:
        """True for the same picture, whole and the same way up."""
        is_close = self.mean <= _MOST and self.worst <= _MOST_IN_CELL
        return is_close and self.pattern >= _PATTERN and self.turned == 1


def compare(original: Pixels, copy: Pixels) -> Likeness:
    """Both as upright sRGB of the same shape, or nearly; sizes may differ."""
    longest = min(max(original.shape[:2]), max(copy.shape[:2]))
    side = min(_SIDE, max(_LEAST_SIDE, longest // 2))  # grain of tiny pictures is averaged out
    before, after = _small(original, side), _small(copy, side)
    straight = _difference(before, after)
    mean = float(straight.mean())
    others = {turn: float(_difference(before, _turned(after, turn)).mean()) for turn in range(2, 9)}
    best = min(others, key=others.__getitem__)
    is_turned = mean > _SAME_ENOUGH and others[best] < mean * _CLEARLY_BETTER
    cells = cv2.resize(straight, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    return Likeness(mean, float(cells.max()), _correlation(before, after), best if is_turned else 1)


def _small(pixels: Pixels, side: int) -> NDArray[np.float32]:
    height, width, _ = pixels.shape
    fitted = resize.shrink(pixels, resize.fitted((width, height), 4 * side))
    square = cv2.resize(fitted, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(square, (5, 5), 0), np.float32)


def _turned(small: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    return np.asarray(orient.upright(small, orientation), np.float32)


def _difference(before: Any, after: Any) -> Any:
    return np.abs(before - after).mean(axis=2)


def _correlation(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    one, two = before.mean(axis=2).ravel(), after.mean(axis=2).ravel()
    if min(one.std(), two.std()) < _FLAT:
        return 1.0
    return float(np.corrcoef(one, two)[0, 1])
