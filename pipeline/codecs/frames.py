"""The frames of an animation, or the pages of a TIFF: how many, and what all of them show."""

from __future__ import annotations

import hashlib
import io
import warnings

from PIL import Image

from pipeline.codecs import limits
from pipeline.codecs.border import decoding
from pipeline.codecs.still import PLUGINS, quiet
from pipeline.errors import TooBig
from pipeline.metadata.findings import Data

_TOLD = frozenset(("gif", "png", "apng", "webp", "avif", "tiff"))
_STILL = frozenset(("jpeg", "bmp"))


def count(data: Data, kind: str) -> int | None:
    """Frames or pages of a picture of the format `kind`; None where that cannot be told."""
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


def digest(data: bytes, kind: str) -> str:
    """Of the pixels and the time of every frame. Raises `BadMedia`, `TooBig` for very many."""
    seen = hashlib.sha256()
    with (
        decoding("animation"),
        quiet(),
        Image.open(io.BytesIO(data), formats=[PLUGINS[kind]]) as image,
    ):
        frames = int(getattr(image, "n_frames", 1))
        limits.require_decodable(*image.size)
        if frames > limits.MOST_FRAMES:
            raise TooBig(f"The animation has {frames} frames, more than are compared.")
        for number in range(frames):
            image.seek(number)
            limits.require_decodable(*image.size)  # pages may differ in size
            seen.update(f"{image.size} {image.info.get('duration')} ".encode())
            seen.update(image.convert("RGBA").tobytes())
    return seen.hexdigest()
