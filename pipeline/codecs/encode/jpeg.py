"""JPEG out: jpegli where it is installed, else libjpeg-turbo; both end progressive.

mozjpeg's scans and tables, where installed, take some 5 % more off without touching a coefficient.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np

from pipeline.codecs.encode.contract import Encoder, Samples

_LONGEST = 65_535
_USUAL = 90


@lru_cache(maxsize=1)
def encoder() -> Encoder:
    """The best one there is."""
    try:
        import pyjpegli  # noqa: F401 - only asked whether it is there
    except ImportError:
        return TURBO
    return Encoder("jpegli", "jpeg", _jpegli, longest=_LONGEST, has_alpha=False, finish=_finished)


def rewritten(data: bytes) -> bytes | None:
    """A JPEG with the same coefficients and markers, but with progressive scans and tables of its
    own. What stands behind the picture is not taken along.

    None where mozjpeg is not installed or does not take the file.
    """
    try:
        import mozjpeg_lossless_optimization as mozjpeg
    except ImportError:
        return None
    try:
        made: bytes = mozjpeg.optimize(data, copy=mozjpeg.COPY_MARKERS.ALL)
    except ValueError:
        return None
    return made


def _finished(data: bytes) -> bytes:
    return min(rewritten(data) or data, data, key=len)


def _jpegli(samples: Samples, quality: int | None, profile: bytes | None) -> bytes:
    import pyjpegli

    rgb = np.ascontiguousarray(_three(samples))
    height, width, _ = rgb.shape
    data: bytes = pyjpegli.encode(rgb, width, height, _USUAL if quality is None else quality)
    return _with_profile(data, profile)


def _turbo(samples: Samples, quality: int | None, profile: bytes | None) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(_three(samples)).save(
        out,
        "JPEG",
        quality=_USUAL if quality is None else quality,
        subsampling="4:2:0",
        optimize=True,
        progressive=True,
    )
    return _with_profile(out.getvalue(), profile)


TURBO = Encoder(
    "libjpeg-turbo", "jpeg", _turbo, longest=_LONGEST, has_alpha=False, finish=_finished
)


def _three(samples: Samples) -> Samples:
    return np.repeat(samples, 3, axis=2) if samples.shape[2] == 1 else samples


def _with_profile(data: bytes, profile: bytes | None) -> bytes:
    if profile is None:
        return data
    from pipeline.metadata.write import blocks, containers

    return containers.write(data, "jpeg", blocks.Blocks(icc=profile))
