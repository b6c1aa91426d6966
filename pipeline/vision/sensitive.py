"""Is this a picture that not everybody should see? One number from Yahoo's open_nsfw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.vision.detect.boxes import Array
from pipeline.vision.networks import network

SENSITIVE = 0.8  # from here on: no false alarm on 128 photos of everyday life
_WHOLE, _SEEN = 256, 224  # the picture is squeezed into a square, and its middle looked at
_MEAN = np.array((104, 117, 123), np.float32)  # blue, green, red


@dataclass(frozen=True, slots=True)
class Judged:
    """`score` is 0 (harmless) to 1; `model` says so."""

    score: float
    model: str

    @property
    def is_sensitive(self) -> bool:
        """Surely enough to say so."""
        return self.score >= SENSITIVE


def judge(models: Path | None, pixels: Array) -> Judged:
    """How sensitive RGB pixels of any size are. Raises `Absent` without the model."""
    judging = network(models, "sensitive")
    whole = cv2.resize(pixels, (_WHOLE, _WHOLE), interpolation=cv2.INTER_AREA)
    edge = (_WHOLE - _SEEN) // 2
    middle = whole[edge : edge + _SEEN, edge : edge + _SEEN, ::-1].astype(np.float32) - _MEAN
    _, score = judging.run(middle[None])[0][0]
    return Judged(float(score), judging.model.version)
