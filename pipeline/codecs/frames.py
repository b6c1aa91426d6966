"""How many frames an animation has, or pages a TIFF; None where that cannot be told."""

from __future__ import annotations

import io
import warnings

from PIL import Image

from pipeline.codecs.still import PLUGINS
from pipeline.metadata.findings import Data

_TOLD = frozenset(("gif", "png", "apng", "webp", "avif", "tiff"))
_STILL = frozenset(("jpeg", "bmp"))


def count(data: Data, kind: str) -> int | None:
    """Frames or pages of a picture of the format `kind`."""
    if kind in _STILL:
        return 1
    if kind not in _TOLD:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data[:]), formats=[PLUGINS[kind]]) as image:
                return int(getattr(image, "n_frames", 1))
    except (OSError, ValueError, SyntaxError):
        return None
