"""SSD on MobileNetV2: 1917 boxes in fixed places, each moved and scored by the network.

The places are those of TensorFlow's `ssd_mobilenet_v2_coco` configuration: six grids, scales from
.2 to .95, and offsets in tenths and fifths of a box ("SSD: Single Shot MultiBox Detector", 2016).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import cv2
import numpy as np

from pipeline.vision.detect.boxes import Array, Seen, thinned
from pipeline.vision.detect.kinds import OF_NINETY
from pipeline.vision.networks import Network

SIDE = 300
_GRIDS = (19, 10, 5, 3, 2, 1)
_SMALLEST, _LARGEST = 0.2, 0.95
_RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
_MOST_OVERLAP = 0.6


def look(network: Network, pixels: Array, floor: float) -> Seen:
    """What the network sees in RGB pixels of any size, with scores from `floor` up."""
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    moves, scores = network.run(small.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1)
    of_80 = scores[0][:, OF_NINETY]
    places, kinds = np.nonzero(of_80 >= floor)
    corners = _moved(_places()[places], moves[0][places])
    return thinned(Seen(kinds, of_80[places, kinds], corners), _MOST_OVERLAP)


def _moved(places: Array, moves: Array) -> Array:
    """Corners from places (centre and size) and the network's moves (top, left, height, width)."""
    centres = places[:, :2] + moves[:, 1::-1] / 10 * places[:, 2:]
    halves = np.exp(moves[:, :1:-1] / 5) * places[:, 2:] / 2
    return np.clip(np.hstack([centres - halves, centres + halves]), 0, 1)


@functools.cache
def _places() -> Array:
    """Centre and size of every box before it is moved."""
    return np.array(
        [
            ((column + 0.5) / grid, (row + 0.5) / grid, width, height)
            for level, grid in enumerate(_GRIDS)
            for row in range(grid)
            for column in range(grid)
            for width, height in _shapes(level)
        ],
        np.float32,
    )


def _shapes(level: int) -> Iterator[tuple[float, float]]:
    """Width and height of the boxes of one grid; the finest has only three."""
    scales = [_SMALLEST + (_LARGEST - _SMALLEST) * n / 5 for n in range(6)] + [1.0]
    if level == 0:
        yield from (_shape(0.1, 1.0), _shape(_SMALLEST, 2.0), _shape(_SMALLEST, 0.5))
        return
    yield from (_shape(scales[level], ratio) for ratio in _RATIOS)
    yield _shape(math.sqrt(scales[level] * scales[level + 1]), 1.0)


def _shape(scale: float, ratio: float) -> tuple[float, float]:
    return scale * math.sqrt(ratio), scale / math.sqrt(ratio)
