"""How sharp a face is, 0 to 1: whether there is detail at the scale of eyelashes and skin.

The energy of the Laplacian over the contrast of the face, both on a face brought to one size; a
ratio, so that dark or flatly lit faces are not called blurred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from pipeline.vision.faces import crop

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels
    from pipeline.vision.faces.peaks import Face

_SIDE = 128
_HALF = 0.05  # the ratio that is called 0.5
_NOISE = 4.0  # variance of a grey level that is nothing but noise


def sharpness(pixels: Pixels, face: Face) -> float:
    """0 nothing but blur, 1 as sharp as pixels can be; a face of few pixels is never sharp."""
    grey = cv2.cvtColor(crop.square(pixels, face, _SIDE), cv2.COLOR_RGB2GRAY).astype(np.float32)
    inner = grey[_SIDE // 6 : -_SIDE // 6, _SIDE // 6 : -_SIDE // 6]
    detail = float(cv2.Laplacian(inner, cv2.CV_32F).var())
    ratio = detail / (float(inner.var()) + _NOISE)
    return ratio / (ratio + _HALF)
