"""The text of a picture: its lines in reading order, and all of it as one text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.vision.detect.boxes import Array
from pipeline.vision.networks import network
from pipeline.vision.text import letters, lines

_SURE = 0.6  # of a line's letters, on average
_UPRIGHT = 1.5  # times as high as long: text that runs downwards
_MOST_LETTERS = 20_000  # of one picture


@dataclass(frozen=True, slots=True)
class Told:
    """One line: `box` is left, top, width and height around it, as fractions of the picture."""

    text: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Page:
    """All lines in reading order, and which model read them."""

    lines: tuple[Told, ...]
    model: str


def read(models: Path | None, pixels: Array) -> Page:
    """The text in RGB pixels of any size. Raises `Absent` without the models."""
    finder, reader = network(models, "text-lines"), network(models, "text-letters")
    told: list[Told] = []
    count = 0
    for line in lines.find(finder, pixels):
        found = letters.read(reader, _cut(pixels, line.corners))
        if found.text and found.score >= _SURE and count < _MOST_LETTERS:
            count += len(found.text)
            told.append(Told(found.text, found.score, _box(line.corners)))
    return Page(tuple(told), reader.model.version)


def _cut(pixels: Array, corners: Array) -> Array:
    """The line, straight; text that runs downwards is laid on its side."""
    height, width, _ = pixels.shape
    points = (corners * (width, height)).astype(np.float32)
    across = max(1, round(float(np.linalg.norm(points[1] - points[0]))))
    down = max(1, round(float(np.linalg.norm(points[3] - points[0]))))
    target = np.array([(0, 0), (across, 0), (across, down), (0, down)], np.float32)
    turn = cv2.getPerspectiveTransform(points, target)
    cut = cv2.warpPerspective(
        pixels, turn, (across, down), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.rot90(cut).copy() if down >= _UPRIGHT * across else cut


def _box(corners: Array) -> tuple[float, float, float, float]:
    left, top = (float(side) for side in np.clip(corners.min(axis=0), 0, 1))
    right, bottom = (float(side) for side in np.clip(corners.max(axis=0), 0, 1))
    return left, top, right - left, bottom - top
