"""What in a picture is hard for encoders, seen before anything is encoded.

Halving the chroma, as most encoders do, limits what any quality can reach; noise and fine detail
cost the rest. Both say beforehand about how good a copy gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pipeline.codecs import ssimulacra2

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels


@dataclass(frozen=True, slots=True)
class Outlook:
    """`ceiling` is the score of the picture with nothing but its chroma halved; the others are
    plain measures of its light: logarithms of mean curvature and mean step, and the mean itself.
    """

    ceiling: float
    curvature: float
    step: float
    light: float

    def features(self) -> tuple[float, float, float, float]:
        """As `curves` weighs them; none of them grows without bounds."""
        return 100.0 - max(self.ceiling, 0.0), self.curvature, self.step, self.light


def look(pixels: Pixels) -> Outlook:
    """The outlook of an sRGB picture."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    steps = np.abs(np.diff(grey, axis=1)).mean() if grey.shape[1] > 1 else 0.0
    curvature = np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean()
    return Outlook(
        ceiling=ssimulacra2.score(pixels, _with_halved_chroma(pixels)),
        curvature=float(np.log(curvature + 0.5)),
        step=float(np.log(steps + 0.5)),
        light=float(grey.mean()),
    )


def _with_halved_chroma(pixels: Pixels) -> Pixels:
    light_and_chroma = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    height, width = pixels.shape[:2]
    half = (width + 1) // 2, (height + 1) // 2
    small = cv2.resize(light_and_chroma[..., 1:], half, interpolation=cv2.INTER_AREA)
    light_and_chroma[..., 1:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(light_and_chroma, cv2.COLOR_YCrCb2RGB))
