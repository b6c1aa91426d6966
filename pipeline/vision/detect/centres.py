"""CenterNet: a map of how likely the centre of each kind of thing lies at each place.

A place that beats its eight neighbours is a thing; a second map holds the distances to its sides
("Objects as Points", 2019).
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.vision.detect.boxes import Array, Seen
from pipeline.vision.networks import Network

SIDE = 512
_STRIDE = 4


def look(network: Network, pixels: Array, floor: float) -> Seen:
    """What the network sees in RGB pixels of any size, with scores from `floor` up."""
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    heat, sides = network.run(small.transpose(2, 0, 1)[None].astype(np.float32))
    kinds, rows, columns = np.nonzero(heat[0] >= floor)
    is_peak = _is_peak(heat[0], kinds, rows, columns)
    kinds, rows, columns = kinds[is_peak], rows[is_peak], columns[is_peak]
    left, top, right, bottom = sides[0][:, rows, columns]
    x, y = columns * _STRIDE, rows * _STRIDE
    corners = np.stack([x - left, y - top, x + right, y + bottom], axis=1) / SIDE
    return Seen(kinds, heat[0][kinds, rows, columns], np.clip(corners, 0, 1).astype(np.float32))


def _is_peak(heat: Array, kinds: Array, rows: Array, columns: Array) -> Array:
    """Is no neighbour hotter? Only the few hot places are looked at."""
    height, width = heat.shape[1:]
    best = np.zeros(len(kinds), heat.dtype)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            y = np.clip(rows + down, 0, height - 1)
            x = np.clip(columns + across, 0, width - 1)
            np.maximum(best, heat[kinds, y, x], out=best)
    return np.asarray(heat[kinds, rows, columns] >= best)
