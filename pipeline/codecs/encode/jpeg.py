"""JPEG out: jpegli where it is installed, else libjpeg-turbo; both end progressive.

mozjpeg's scans and tables, where installed, take some 5 % more off without touching a coefficient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

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
    return _encoder("jpegli", _jpegli, TURBO.in_full_colour)


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


def _turbo(subsampling: str, samples: Samples, quality: int | None, profile: bytes | None) -> bytes:
    import simplejpeg

    rgb = np.ascontiguousarray(_three(samples))
    quality = _USUAL if quality is None else quality
    data = simplejpeg.encode_jpeg(rgb, quality, colorspace="RGB", colorsubsampling=subsampling)
    return _with_profile(data, profile)


def _encoder(
    name: str,
    write: Callable[[Samples, int | None, bytes | None], bytes],
    in_full_colour: Encoder | None = None,
) -> Encoder:
    return Encoder(
        name,
        "jpeg",
        write,
        longest=_LONGEST,
        has_alpha=False,
        finish=_finished,
        in_full_colour=in_full_colour,
    )


# jpegli's binding always halves the chroma, so libjpeg-turbo stands in where it must not be.
_FULL = _encoder("libjpeg-turbo-444", partial(_turbo, "444"))
TURBO = _encoder("libjpeg-turbo", partial(_turbo, "420"), _FULL)


def _three(samples: Samples) -> Samples:
    return np.repeat(samples, 3, axis=2) if samples.shape[2] == 1 else samples


def _with_profile(data: bytes, profile: bytes | None) -> bytes:
    if profile is None:
        return data
    from pipeline.metadata.write import blocks, containers

    return containers.write(data, "jpeg", blocks.Blocks(icc=profile))
