"""JPEG XL out through libjxl, in its container, so that metadata can be put in.

No library at hand lets a profile through to the encoder, so colours have to be sRGB by then.
"""

from __future__ import annotations

from pipeline.codecs.encode.contract import Encoder, Samples
from pipeline.codecs.encode.pillow import flat

_USUAL = 90
_EFFORT = 3  # above it the time doubles for a hundredth of the bytes


def _write(samples: Samples, quality: float | None, _: bytes | None) -> bytes:
    import imagecodecs

    lossy = {"distance": distance(_USUAL if quality is None else quality)}
    data = imagecodecs.jpegxl_encode(
        flat(samples),
        effort=_EFFORT,
        usecontainer=True,
        numthreads=1,
        **({"lossless": True} if quality is None else lossy),
    )
    return bytes(data)


def distance(quality: float) -> float:
    """libjxl's scale, 1.0 being what nobody sees, from the one people know (30 to 100)."""
    return 0.1 + (100 - quality) * 0.09


_SCALE = tuple(quarter / 4 for quarter in range(120, 401))  # libjxl takes any distance

JXL = Encoder("libjxl", "jxl", _write, _SCALE, depth=16, is_exact=True, has_profile=False)
