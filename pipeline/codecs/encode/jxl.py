"""JPEG XL out through libjxl, in its container, so that metadata can be put in.

No library at hand lets a profile through to the encoder. Display P3, which phones use, has a name
in JPEG XL and is written by FFmpeg's libjxl; other colours have to be sRGB by then.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pipeline.codecs import colour
from pipeline.codecs.encode.contract import Encoder, Samples
from pipeline.codecs.encode.pillow import flat

_USUAL = 90
_EFFORT = 3  # above it the time doubles for a hundredth of the bytes
_SCALE = tuple(quarter / 4 for quarter in range(120, 401))  # libjxl takes any distance
_P3 = 12, 13  # H.273: its primaries, and sRGB's curve
_SAID = "setparams=color_primaries=smpte432:color_trc=iec61966-2-1:colorspace=gbr:range=pc"
_MOST_S = 600.0
_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_TYPE = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "


def _write(samples: Samples, quality: float | None, profile: bytes | None) -> bytes:
    if profile is not None and _is_p3(profile):
        return _as_p3(samples, quality)
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


def _as_p3(samples: Samples, quality: float | None) -> bytes:
    import imagecodecs

    from pipeline.codecs import ffmpeg

    wanted = 0.0 if quality is None else distance(quality)
    with tempfile.TemporaryDirectory(prefix="darkroom-jxl-") as name:
        folder = Path(name)
        (folder / "in.png").write_bytes(imagecodecs.png_encode(flat(samples), level=0))
        source = ["-f", "png_pipe", "-i", "file:in.png", "-frames:v", "1", "-vf", _SAID]
        made = ["-c:v", "libjxl", "-threads", "1", "-effort", str(_EFFORT)]
        out = ["-distance", f"{wanted:.4f}", "-f", "image2pipe", "file:out.jxl"]
        ffmpeg.run([*source, *made, *out], folder, timeout_s=_MOST_S)
        return _contained((folder / "out.jxl").read_bytes())


def _contained(codestream: bytes) -> bytes:
    """In a container's box (ISO 18181-2)."""
    box = (len(codestream) + 8).to_bytes(4, "big") + b"jxlc"
    return _SIGNATURE + _TYPE + box + codestream


def _is_p3(profile: bytes) -> bool:
    return colour.means(profile, *_P3)


def distance(quality: float) -> float:
    """libjxl's scale, 1.0 being what nobody sees, from the one people know (30 to 100)."""
    return 0.1 + (100 - quality) * 0.09


JXL = Encoder(
    "libjxl",
    "jxl",
    _write,
    _SCALE,
    depth=16,
    is_exact=True,
    has_profile=False,
    speaks=_is_p3,
)
