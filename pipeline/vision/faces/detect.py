"""Where the faces are: CenterFace, looked at as often as the picture is worth.

The first look is at 640 pixels. A crowd of small faces is looked at again with more pixels; a
picture without a sure face is looked at turned by 90, 180 and 270 degrees. A weak peak counts only
where a sure face is too: where people are, there are more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.vision.faces import peaks
from pipeline.vision.faces.peaks import Face

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

Array = NDArray[Any]

LEAST_SCORE = 0.3  # in company of a face of at least `SURE_SCORE`
SMALL_SCORE, SMALL_SIDE = 0.4, 48.0  # and for faces of fewer pixels
LONE_SCORE = 0.45  # without: .3 sees faces in 10 of COCO's 65 photos without people, .45 in 1
SURE_SCORE = 0.5
FIRST_SIDE = 640  # of the longer side
CROWD_SIDE = 960

_LEAST_SIDE = 224  # a tiny picture is enlarged to this: its face is then of a size seen in training
_MOST_ENLARGED = 2.0  # else no more than this
_CROWD = 4  # so many faces, half of them small, are a crowd
_SMALL = 40.0  # pixels of the first look
_MULTIPLE = 32  # sides the network takes

# Of 30 crowds with a face above 70 pixels the upright best scored .68 or more. The looks at turned
# pictures cost a quarter of the first each, and only photos without a sure face; of COCO's 65
# without people none scored .6 when turned, two .5.
_UPRIGHT_ENOUGH = 0.65
_TURNED_SIDE = 320
_TURNED_SCORE, _TURNED_GAIN = 0.6, 0.15


class Net(Protocol):
    """What is needed of a network: see `pipeline.vision.networks`."""

    def run(self, *inputs: Array) -> list[Array]:
        """All outputs for these inputs."""
        ...


def find_faces(
    network: Net,
    pixels: Pixels,
    least_score: float | None = None,
    most_pixels: int = CROWD_SIDE,
) -> list[Face]:
    """Every face in an upright RGB picture of any size, the surest first.

    `network` is the one for the purpose "faces". `least_score` replaces the scores that are asked
    for otherwise. `most_pixels` bounds the longer side that is looked at; `FIRST_SIDE` keeps a
    crowd to one look.
    """
    asked = LEAST_SCORE if least_score is None else least_score
    first = _first_side(pixels)
    found = _look(network, pixels, first, asked)
    if not found or found[0].score < _UPRIGHT_ENOUGH:
        found = _turned(network, pixels, first, found, asked)
    longer = max(pixels.shape[:2])
    closer = min(most_pixels, longer)
    if closer > first and _is_crowd(_counted(found, least_score), first / longer):
        found = _look(network, pixels, closer, asked)
    return _counted(found, least_score)


def _counted(found: Sequence[Face], least_score: float | None) -> list[Face]:
    if least_score is not None:
        return [face for face in found if face.score >= least_score]
    if not found or found[0].score < SURE_SCORE:
        return [face for face in found if face.score >= LONE_SCORE]
    return [face for face in found if face.score >= _asked_of(face)]


def _asked_of(face: Face) -> float:
    return LEAST_SCORE if face.short_side >= SMALL_SIDE else SMALL_SCORE


def _first_side(pixels: Pixels) -> int:
    longer = max(pixels.shape[:2])
    return int(min(FIRST_SIDE, max(_LEAST_SIDE, longer * _MOST_ENLARGED)))


def _is_crowd(faces: Sequence[Face], scale: float) -> bool:
    sizes = sorted(face.short_side * scale for face in faces)
    return len(sizes) >= _CROWD and sizes[len(sizes) // 2] < _SMALL


# --- Turned pictures ----------------------------------------------------------------------------


def _turned(
    network: Net, pixels: Pixels, side: int, upright: list[Face], least_score: float
) -> list[Face]:
    """What is found after turning, where that is much surer; else what was found upright."""
    best, quarter = (upright[0].score + _TURNED_GAIN if upright else 0.0), 0
    for turns in (1, 2, 3):
        seen = _look(network, _rotated(pixels, turns), min(side, _TURNED_SIDE), _TURNED_SCORE)
        if seen and seen[0].score > best:
            best, quarter = seen[0].score, turns
    if not quarter:
        return upright
    found = _look(network, _rotated(pixels, quarter), side, least_score)
    height, width = pixels.shape[:2]
    return [_turned_back(face, quarter, (width, height)) for face in found]


def _rotated(pixels: Pixels, quarters: int) -> Pixels:
    """Turned by quarters, counter-clockwise."""
    return np.ascontiguousarray(np.rot90(pixels, quarters))


def _turned_back(face: Face, quarters: int, size: tuple[int, int]) -> Face:
    """A face found in the turned picture, in pixels of the picture as it is (width, height)."""
    left, top, right, bottom = face.box
    one, other = (_back(point, quarters, size) for point in ((left, top), (right, bottom)))
    box = min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1])
    marks = tuple(_back(point, quarters, size) for point in face.landmarks)
    return Face(box, face.score, marks)


def _back(point: tuple[float, float], quarters: int, size: tuple[int, int]) -> tuple[float, float]:
    (x, y), (width, height) = point, size
    return {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[quarters]


# --- One look -----------------------------------------------------------------------------------


def _look(network: Net, pixels: Pixels, side: int, least_score: float) -> list[Face]:
    """One run of the network over the picture with its longer side at about `side`."""
    height, width = pixels.shape[:2]
    blob = np.ascontiguousarray(_resized(pixels, side).transpose(2, 0, 1)[None], np.float32)
    return peaks.faces(network.run(blob), least_score, (width, height))


def _resized(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    ratio = side / max(height, width)
    to = (_rounded(width * ratio), _rounded(height * ratio))
    return cv2.resize(pixels, to, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)


def _rounded(side: float) -> int:
    return max(1, -int(-side // _MULTIPLE)) * _MULTIPLE
