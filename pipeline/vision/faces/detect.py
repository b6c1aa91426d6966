"""Where the faces are: CenterFace, looked at once or twice.

The first look is at 640 pixels. A crowd of small faces is looked at again with more pixels; a
picture without any face, in which the network suspects one, is looked at turned. Formulas: Xu et
al., "CenterFace" (2019): peaks of a heat map at a quarter of the size, each with the logarithm of
its height and width, the offset of its centre, and five points as fractions of its box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.codecs.picture import Pixels

Array = NDArray[Any]

LEAST_SCORE = 0.3
FIRST_SIDE = 640  # of the longer side
CROWD_SIDE = 1280
_LEAST_SIDE = 224  # a tiny picture is enlarged to this: its face is then of a size seen in training
_MOST_ENLARGED = 2.0  # no more than this else
_CROWD = 4  # so many faces, half of them small, are a crowd
_SMALL = 40.0  # pixels of the first look
_STRIDE, _MULTIPLE = 4, 32  # of the network
_SAME_FACE = 0.3  # overlap above which the weaker of two boxes goes


class Net(Protocol):
    """What is needed of a network: see `pipeline.vision.networks`."""

    def run(self, *inputs: Array) -> list[Array]:
        """All outputs for these inputs."""
        ...


@dataclass(frozen=True, slots=True)
class Face:
    """One face, in pixels of the picture it was found in.

    `box` is left, top, right, bottom. `landmarks` are the eye, the eye, the nose and the corners
    of the mouth, each as the viewer sees them from left to right in an upright face.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: tuple[tuple[float, float], ...]

    @property
    def short_side(self) -> float:
        """Of the box."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)


def find_faces(
    network: Net, pixels: Pixels, least_score: float = LEAST_SCORE, most_pixels: int = CROWD_SIDE
) -> list[Face]:
    """Every face in an upright RGB picture of any size, the surest first.

    `network` is the one for the purpose "faces". `most_pixels` bounds the longer side that is
    looked at: `FIRST_SIDE` keeps it to one look at about 45 ms.
    """
    first = _first_side(pixels)
    faces = _look(network, pixels, first, least_score)
    closer = min(most_pixels, max(pixels.shape[:2]))
    if closer > first and _is_crowd(faces, first / max(pixels.shape[:2])):
        return _look(network, pixels, closer, least_score)
    return faces


def _first_side(pixels: Pixels) -> int:
    longer = max(pixels.shape[:2])
    return int(min(FIRST_SIDE, max(_LEAST_SIDE, longer * _MOST_ENLARGED)))


def _is_crowd(faces: Sequence[Face], scale: float) -> bool:
    sizes = sorted(face.short_side * scale for face in faces)
    return len(sizes) >= _CROWD and sizes[len(sizes) // 2] < _SMALL


def _look(network: Net, pixels: Pixels, side: int, least_score: float) -> list[Face]:
    """One run of the network over the picture with its longer side at about `side`."""
    height, width = pixels.shape[:2]
    seen = _resized(pixels, side)
    heat, scale, offset, points = network.run(_blob(seen))
    zoom = np.array((width / seen.shape[1], height / seen.shape[0]))
    faces = _peaks(heat[0, 0], scale[0], offset[0], points[0], least_score)
    return [_inside(face, zoom, (width, height)) for face in faces]


def _resized(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    ratio = side / max(height, width)
    to = (_rounded(width * ratio), _rounded(height * ratio))
    how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    return cv2.resize(pixels, to, interpolation=how)


def _rounded(side: float) -> int:
    return max(1, -int(-side // _MULTIPLE)) * _MULTIPLE


def _blob(pixels: Pixels) -> Array:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)


def _peaks(
    heat: Array, scale: Array, offset: Array, points: Array, least_score: float
) -> Iterable[tuple[Array, float, Array]]:
    """Box, score and points of every face, in pixels of the network's input."""
    rows, columns = np.nonzero(heat > least_score)
    scores = heat[rows, columns]
    tall, wide = np.exp(scale[:, rows, columns]) * _STRIDE
    down, across = offset[:, rows, columns]
    left = (columns + across + 0.5) * _STRIDE - wide / 2
    top = (rows + down + 0.5) * _STRIDE - tall / 2
    boxes = np.stack((left, top, left + wide, top + tall), axis=1)
    at = points[:, rows, columns].reshape(5, 2, -1)
    marks = np.stack((at[:, 1] * wide + left, at[:, 0] * tall + top), axis=-1).transpose(1, 0, 2)
    for index in _best(boxes, scores):
        yield boxes[index], float(scores[index]), marks[index]


def _best(boxes: Array, scores: Array) -> list[int]:
    """Non-maximum suppression: of boxes that overlap the surest stays."""
    left = list(np.argsort(-scores, kind="stable"))
    kept = []
    while left:
        index, *rest = left
        kept.append(int(index))
        overlaps = overlap(boxes[index], boxes[rest]) if rest else ()
        left = [one for one, shared in zip(rest, overlaps, strict=True) if shared < _SAME_FACE]
    return kept


def overlap(box: Array, boxes: Array) -> Array:
    """Intersection over union of one box with each of several."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(shared / ((box[2:] - box[:2]).prod() + areas - shared))


def _inside(face: tuple[Array, float, Array], zoom: Array, size: tuple[int, int]) -> Face:
    """The face in pixels of the picture, its box cut at the picture's edges."""
    box, score, marks = face
    corners = np.clip(box.reshape(2, 2) * zoom, 0, size).ravel()
    left, top, right, bottom = (float(value) for value in corners)
    return Face(
        (left, top, right, bottom),
        score,
        tuple((float(x), float(y)) for x, y in marks * zoom),
    )
