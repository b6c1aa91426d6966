"""JPEG out: jpegli where it is installed, else libjpeg-turbo; both end progressive.

libjpeg-turbo is given its tables by us, scaled more finely than its hundred qualities; jpegli's
binding takes whole numbers only. mozjpeg's scans and tables, where installed, take some 5 % more
off without touching a coefficient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from io import BytesIO
from typing import Any

import numpy as np

from pipeline.codecs.encode.contract import Encoder, Samples

_LONGEST = 65_535
_USUAL = 90
_EIGHTHS = tuple(eighth / 8 for eighth in range(8, 801))
# ISO/IEC 10918-1, tables K.1 and K.2: what libjpeg's quality 50 is.
_LIGHT = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)


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


def _jpegli(samples: Samples, quality: float | None, profile: bytes | None) -> bytes:
    import pyjpegli

    rgb = np.ascontiguousarray(_three(samples))
    height, width, _ = rgb.shape
    whole = _USUAL if quality is None else int(quality)
    data: bytes = pyjpegli.encode(rgb, width, height, whole)
    return _with_profile(data, profile)


def _turbo(
    subsampling: str, samples: Samples, quality: float | None, profile: bytes | None
) -> bytes:
    from PIL import Image

    tables = _tables(_USUAL if quality is None else quality)
    out = BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(_three(samples)))
    picture.save(out, "JPEG", qtables=tables, subsampling=subsampling)
    return _with_profile(out.getvalue(), profile)


def _tables(quality: float) -> list[list[int]]:
    """As libjpeg scales them, and the same way between its steps."""
    percent = 5000 / quality if quality < 50 else 200 - 2 * quality
    return [
        [int(min(max((value * percent + 50) // 100, 1), 255)) for value in table]
        for table in (_LIGHT, _CHROMA)
    ]


def _encoder(
    name: str,
    write: Callable[[Samples, float | None, bytes | None], bytes],
    in_full_colour: Encoder | None = None,
    **fields: Any,
) -> Encoder:
    return Encoder(
        name,
        "jpeg",
        write,
        longest=_LONGEST,
        has_alpha=False,
        finish=_finished,
        in_full_colour=in_full_colour,
        **fields,
    )


# jpegli's binding always halves the chroma, so libjpeg-turbo stands in where it must not be.
_FULL = _encoder("libjpeg-turbo-444", partial(_turbo, "4:4:4"), scale=_EIGHTHS)
TURBO = _encoder("libjpeg-turbo", partial(_turbo, "4:2:0"), _FULL, scale=_EIGHTHS)


def _three(samples: Samples) -> Samples:
    return np.repeat(samples, 3, axis=2) if samples.shape[2] == 1 else samples


def _with_profile(data: bytes, profile: bytes | None) -> bytes:
    if profile is None:
        return data
    from pipeline.metadata.write import blocks, containers

    return containers.write(data, "jpeg", blocks.Blocks(icc=profile))
