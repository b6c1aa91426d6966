"""What a picture is like, as 1280 numbers, and which of ImageNet's 1000 classes it may show.

The numbers feed the heads of `scene`, the search for pictures that look alike, and `kind`. They are
kept as a unit vector of float16: the cosine of two vectors says how alike two pictures are.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.vision import networks

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

PURPOSE = "features"
SIDE = 224
DIMS = 1280
_MEAN, _SPREAD = 127.0, 128.0  # as the network was trained
_MOST_CLASSES = 8
_LEAST_LIKELY = 0.01

Vector: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the network saw. `classes` are the likeliest, best first: (index, probability)."""

    vector: Vector  # unit length
    classes: tuple[tuple[int, float], ...]
    model: str  # name and version


def look(folder: Path | None, pixels: Pixels) -> Seen:
    """The features of RGB `pixels` of any size. Raises `Absent` when the model is not there."""
    network = networks.network(folder, PURPOSE)
    raw, logits = network.run(prepared(pixels))
    return Seen(_unit(raw[0]), _likeliest(logits[0]), network.model.version)


def prepared(pixels: Pixels) -> NDArray[np.float32]:
    """The network's input. The whole picture is squeezed into its square: edges matter too."""
    import cv2

    is_enlarged = min(pixels.shape[:2]) < SIDE
    how = cv2.INTER_CUBIC if is_enlarged else cv2.INTER_AREA
    square = cv2.resize(pixels, (SIDE, SIDE), interpolation=how)
    planes = (square.astype(np.float32) - _MEAN) / _SPREAD
    return np.ascontiguousarray(planes.transpose(2, 0, 1)[None])


def packed(vector: Vector) -> str:
    """A vector as facts hold it: little-endian float16, base64."""
    return base64.b64encode(vector.astype("<f2").tobytes()).decode("ascii")


def unpacked(text: str) -> Vector:
    """The vector that `packed` wrote. Raises `ValueError` for anything else."""
    vector = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
    if vector.shape != (DIMS,):
        raise ValueError(f"a vector of {vector.size} numbers instead of {DIMS}")
    return vector


def _unit(raw: NDArray[np.float32]) -> Vector:
    length = float(np.linalg.norm(raw))
    return np.asarray(raw / length if length > 0 else raw, np.float32)


def _likeliest(logits: NDArray[np.float32]) -> tuple[tuple[int, float], ...]:
    odds = np.exp(logits - logits.max())
    odds /= odds.sum()
    best = np.argsort(-odds)[:_MOST_CLASSES]
    return tuple((int(n), round(float(odds[n]), 4)) for n in best if odds[n] >= _LEAST_LIKELY)
