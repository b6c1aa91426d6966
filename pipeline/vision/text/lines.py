"""Where lines of text are: rectangles around the places that the network calls text.

The network gives each pixel a probability and shrinks every line, so that neighbours do not touch;
growing back by area x 1.6 / perimeter is that of its authors ("Real-time Scene Text Detection with
Differentiable Binarization", 2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.vision.detect.boxes import Array
from pipeline.vision.networks import Network

SIDE = 1280  # pixels of the long side that the network is shown
_STEP = 32  # its sides are multiples of this
_TEXT, _LINE = 0.3, 0.5  # probability of a pixel, and the mean of a line
_GROWTH = 1.6
_LEAST = 3.0  # pixels of a line's height
_MOST = 400  # lines of one picture


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its corners from the upper left on, clockwise, as fractions of the picture."""

    corners: Array
    score: float


def find(network: Network, pixels: Array) -> list[Line]:
    """The lines of text in RGB pixels, in reading order."""
    height, width, _ = pixels.shape
    scale = min(1.0, SIDE / max(height, width))
    across, down = (max(_STEP, round(side * scale / _STEP) * _STEP) for side in (width, height))
    small = cv2.resize(pixels, (across, down), interpolation=cv2.INTER_AREA)
    blob = (small[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    chance = network.run(np.ascontiguousarray(blob))[0][0, 0]
    return _in_order(list(_lines(chance)))


def _lines(chance: Array) -> Iterator[Line]:
    mask = cv2.dilate((chance > _TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    height, width = chance.shape
    for outline in sorted(outlines, key=len, reverse=True)[:_MOST]:
        middle, (across, down), angle = cv2.minAreaRect(outline)
        if min(across, down) < _LEAST:
            continue
        score = _mean_inside(chance, cv2.boxPoints((middle, (across, down), angle)))
        if score < _LINE:
            continue
        grown = across * down * _GROWTH / (across + down)  # on both sides together
        corners = cv2.boxPoints((middle, (across + grown, down + grown), angle))
        yield Line(_upright(corners) / (width, height), score)


def _mean_inside(chance: Array, corners: Array) -> float:
    height, width = chance.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [np.round(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(chance[top : bottom + 1, left : right + 1], mask)[0])


def _upright(corners: Array) -> Array:
    """From the upper left on, clockwise: the sum of x and y is least there."""
    start = int(corners.sum(axis=1).argmin())
    turned = np.roll(corners, -start, axis=0)
    along, across = turned[1] - turned[0], turned[3] - turned[0]
    is_clockwise = along[0] * across[1] - along[1] * across[0] > 0
    return turned if is_clockwise else turned[[0, 3, 2, 1]]


def _in_order(lines: list[Line]) -> list[Line]:
    """From the top, and what lies on one height from the left."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: float(line.corners[:, 1].mean())):
        middle, height = float(line.corners[:, 1].mean()), float(np.ptp(line.corners[:, 1]))
        row = rows[-1] if rows else []
        if row and middle - float(row[-1].corners[:, 1].mean()) < height / 2:
            row.append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda one: float(one.corners[0, 0]))]
