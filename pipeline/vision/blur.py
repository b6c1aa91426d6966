"""Faces hidden until nothing finds them any more.

Looks more closely than the stage that counts faces: a face that is missed here is shown to
strangers. What is found again is hidden more thoroughly, up to a flat patch of colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.blur import Hidden, Shape, hide
from pipeline.vision.faces.detect import CROWD_SIDE, LEAST_SCORE, find_faces

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels
    from pipeline.vision.faces.detect import Net

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

_MOST_ROUNDS = 16
_TILED_FROM = 1000  # pixels of the longer side: above, small faces are looked for in parts
_TILE = 0.6  # of each side: two overlap by a fifth, so that no face is cut by all of them
_TILE_SCORE = 0.35
_ENDLESS = 1 << 20  # no picture is as wide
_SAME = 0.3  # overlap that makes two boxes one face


@dataclass(frozen=True, slots=True)
class Blurred:
    """Samples in which everything asked for is hidden, after so many rounds."""

    samples: NDArray[Any]
    parts: tuple[Hidden, ...]
    rounds: int


class StillThere(Exception):
    """A face was found again however thoroughly it was hidden."""


def look_closely(network: Net, pixels: Pixels) -> list[Box]:
    """Every face, the smallest included, each once; also those seen in the mirror only."""
    height, width = pixels.shape[:2]
    found = [face.box for face in find_faces(network, pixels, LEAST_SCORE, CROWD_SIDE)]
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    for face in find_faces(network, mirrored, LEAST_SCORE, CROWD_SIDE):
        x0, y0, x1, y1 = face.box
        _add(found, (width - x1, y0, width - x0, y1))
    if max(height, width) < _TILED_FROM:
        return found
    for top in (0, round(height * (1 - _TILE))):
        for left in (0, round(width * (1 - _TILE))):
            tile = pixels[top : top + round(height * _TILE), left : left + round(width * _TILE)]
            for face in find_faces(network, tile, _TILE_SCORE, CROWD_SIDE):
                x0, y0, x1, y1 = face.box
                _add(found, (x0 + left, y0 + top, x1 + left, y1 + top))
    return found


def _add(found: list[Box], box: Box) -> None:
    if not any(is_same(box, other) for other in found):
        found.append(box)


def hidden_for_good(
    network: Net,
    samples: NDArray[Any],
    parts: Sequence[Hidden],
    shown: Callable[[NDArray[Any]], Pixels],
    may_stay: Callable[[Box], bool],
    shape: Shape = "ellipse",
) -> Blurred:
    """`samples` with `parts` hidden, and more of them until the detector finds nothing in what
    `shown` makes of the samples but faces that `may_stay`. Raises `StillThere`.
    """
    for number in range(1, _MOST_ROUNDS + 1):
        made = hide(samples, parts, shape)
        again = [box for box in look_closely(network, shown(made)) if not may_stay(box)]
        if not again:
            return Blurred(made, tuple(parts), number)
        parts = tightened(parts, again)
    raise StillThere


def tightened(parts: Sequence[Hidden], again: Sequence[Box]) -> list[Hidden]:
    """`parts` so that the faces which were found `again` are hidden better, or at all."""
    better = [part.stronger() if any(_is_in(b, part) for b in again) else part for part in parts]
    return better + [Hidden(b) for b in again if not any(_is_in(b, part) for part in parts)]


def is_same(one: Box, other: Box) -> bool:
    """Two boxes that show the same face: they overlap well, or one lies mostly in the other."""
    shared = _shared(one, other)
    smaller = min(_area(one), _area(other))
    whole = _area(one) + _area(other) - shared
    return shared > _SAME * whole or shared > 0.7 * smaller


def _is_in(box: Box, part: Hidden) -> bool:
    """True for a face that was found mostly inside of what was hidden."""
    left, top, right, bottom = part.region(_ENDLESS, _ENDLESS)
    return _shared((left, top, right, bottom), box) > _area(box) / 2


def _shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
