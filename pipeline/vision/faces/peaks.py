"""What CenterFace's maps say: peaks, each with a box and five points. Pure arithmetic.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019): a heat map
at a quarter of the size; at each peak the logarithm of height and width, the offset of the centre,
and five points as fractions of the box, all vertical before horizontal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_STRIDE = 4
_SAME_FACE = 0.3  # overlap above which the weaker of two boxes goes
_MOST_PEAKS = 3_000  # before suppression, some five a face; bounds the work to half a CPU second


@dataclass(frozen=True, slots=True)
class Face:
    """One face, in pixels of the picture it was found in.

    `box` is left, top, right, bottom. `landmarks` are the two eyes, the nose and the two corners
    of the mouth, each pair from left to right as an upright face is seen.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: tuple[tuple[float, float], ...]

    @property
    def short_side(self) -> float:
        """Of the box."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)


def faces(maps: list[Array], least_score: float, size: tuple[int, int]) -> list[Face]:
    """The faces in the four maps, the surest first, in pixels of a picture of width and height."""
    heat, scale, offset, points = maps[0][0, 0], maps[1][0], maps[2][0], maps[3][0]
    zoom = np.array((size[0] / heat.shape[1], size[1] / heat.shape[0])) / _STRIDE
    found = _peaks(heat, scale, offset, points, least_score)
    return [_inside(box, score, marks, zoom, size) for box, score, marks in found]


def _peaks(
    heat: Array, scale: Array, offset: Array, points: Array, least_score: float
) -> Iterator[tuple[Array, float, Array]]:
    """Box, score and points of every face, in pixels of the network's input."""
    rows, columns = _strongest(heat, least_score)
    scores = heat[rows, columns]
    tall, wide = np.exp(scale[:, rows, columns]) * _STRIDE
    down, across = offset[:, rows, columns]
    left = (columns + across + 0.5) * _STRIDE - wide / 2
    top = (rows + down + 0.5) * _STRIDE - tall / 2
    boxes = np.stack((left, top, left + wide, top + tall), axis=1)
    at = points[:, rows, columns].reshape(5, 2, -1)
    marks = np.stack((at[:, 1] * wide + left, at[:, 0] * tall + top), axis=-1).transpose(1, 0, 2)
    for index in suppressed(boxes, scores):
        yield boxes[index], float(scores[index]), marks[index]


def _strongest(heat: Array, least_score: float) -> tuple[Array, Array]:
    rows, columns = np.nonzero(heat > least_score)
    if len(rows) <= _MOST_PEAKS:
        return rows, columns
    best = np.argpartition(-heat[rows, columns], _MOST_PEAKS)[:_MOST_PEAKS]
    return rows[best], columns[best]


def suppressed(boxes: Array, scores: Array) -> list[int]:
    """Which boxes stay when of those that overlap only the surest does; the surest first."""
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        index, order = int(order[0]), order[1:]
        kept.append(index)
        order = order[overlaps(boxes[index], boxes[order]) < _SAME_FACE]
    return kept


def overlaps(box: Array, boxes: Array) -> Array:
    """Intersection over union of one box (left, top, right, bottom) with each of several."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1e-9))


def _inside(box: Array, score: float, marks: Array, zoom: Array, size: tuple[int, int]) -> Face:
    """The face in pixels of the picture, its box cut at the picture's edges."""
    corners = np.clip(box.reshape(2, 2) * zoom, 0, size).ravel()
    left, top, right, bottom = (float(value) for value in corners)
    landmarks = tuple((float(x), float(y)) for x, y in marks * zoom)
    return Face((left, top, right, bottom), score, landmarks)
