"""Faces of made-up people: embeddings as a face model gives them, and facts as its stage does.

A person is a direction in a space of many dimensions and a face is that direction with noise, so
that two faces of one person have about the cosine `alike` and two of different people about 0.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMS = 128
EMBEDDER = "made-up 1"
Vectors = NDArray[np.float64]


def faces(
    seed: int, people: int, each: int, *, alike: float = 0.6, dims: int = DIMS
) -> tuple[Vectors, NDArray[np.int64]]:
    """Unit vectors, row by row, and the number of the person that each row shows."""
    random = np.random.default_rng(seed)
    middles = _unit(random.standard_normal((people, dims)))
    truth = np.repeat(np.arange(people), each)
    noise = _unit(random.standard_normal((truth.size, dims)))
    spread = np.sqrt(1 / alike - 1)
    return _unit(middles[truth] + spread * noise), truth


def facts(
    vectors: Vectors | Sequence[Vectors], *, embedder: str = EMBEDDER, shift: float = 0.0
) -> dict[str, Any]:
    """The facts of the stage `faces` for a picture with these faces side by side."""
    count = max(len(vectors), 1)
    return {
        "faces": [
            {
                "box": [round(number / count + shift, 4), 0.3, round(0.8 / count, 4), 0.4],
                "score": 0.9,
                "landmarks": [[0.5, 0.5]] * 5,
                "sharpness": 0.5,
                "embedding": text(vector),
            }
            for number, vector in enumerate(vectors)
        ],
        "detector": "made-up 1",
        "embedder": embedder,
        "dims": DIMS,
    }


def text(vector: Vectors) -> str:
    """A vector as facts carry it."""
    return base64.b64encode(vector.astype("<f2").tobytes()).decode()


def _unit(rows: Vectors) -> Vectors:
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
