"""HEIC out through libheif and x265; deep samples as ten bits."""

from __future__ import annotations

import io
from functools import partial

import numpy as np

from pipeline.codecs.encode.contract import Encoder, Samples

_USUAL = 70
# x265 in this process only: a slot is one core.
_ONE_CORE = {"x265:pools": "none", "x265:frame-threads": "1"}
_SCALE = tuple(float(quality) for quality in range(2, 101, 2))  # libheif halves it: x265's CRF


def _write(chroma: int, samples: Samples, quality: float | None, profile: bytes | None) -> bytes:
    import pillow_heif

    coloured = np.repeat(samples, 3, axis=2) if samples.shape[2] == 1 else samples
    height, width, channels = coloured.shape
    mode = ("RGBA" if channels == 4 else "RGB") + (";16" if samples.dtype != np.uint8 else "")
    image = pillow_heif.from_bytes(mode, (width, height), np.ascontiguousarray(coloured).tobytes())
    if profile is not None:
        image.info["icc_profile"] = profile
    out = io.BytesIO()
    steps = _USUAL if quality is None else int(quality)
    image.save(out, quality=steps, chroma=chroma, enc_params=dict(_ONE_CORE))
    return out.getvalue()


HEIC = Encoder(
    "x265",
    "heic",
    partial(_write, 420),
    _SCALE,
    longest=16_384,
    depth=10,
    is_dear=True,
    in_full_colour=Encoder(
        "x265-444", "heic", partial(_write, 444), _SCALE, longest=16_384, depth=10, is_dear=True
    ),
)
