"""WebP, AVIF, PNG and TIFF through Pillow; PNG and TIFF of 16 bits through imagecodecs."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import numpy as np

from pipeline.codecs.encode.contract import Encoder, Samples

_USUAL = 80
_QUARTERS = tuple(quarter / 4 for quarter in range(4, 401))  # libwebp's qualities are fractions
_DEEP = 10  # bits
_QUANTIZERS = 63  # of AV1, onto which libavif spreads a hundred qualities


def _webp(samples: Samples, quality: float | None, profile: bytes | None) -> bytes:
    if quality is None:  # `exact`: colours under transparent parts stay
        return _saved(samples, "WEBP", profile, lossless=True, exact=True, quality=60, method=4)
    return _saved(samples, "WEBP", profile, quality=quality, method=4)


def _avif(
    subsampling: str, samples: Samples, quality: float | None, profile: bytes | None
) -> bytes:
    steps = _USUAL if quality is None else int(quality)
    if samples.dtype != np.uint8:
        return _deep_avif(subsampling, samples, steps)
    options = {"quality": steps, "subsampling": subsampling, "speed": 8, "max_threads": 1}
    return _saved(samples, "AVIF", profile, **options)


def _deep_avif(subsampling: str, samples: Samples, quality: int) -> bytes:
    """Ten bits, sRGB: Pillow writes eight, and imagecodecs no profile."""
    import imagecodecs

    most = (1 << _DEEP) - 1
    tens = (samples.astype(np.uint32) * most + 32767) // 65535
    coloured = np.repeat(tens, 3, axis=2) if samples.shape[2] == 1 else tens
    data = imagecodecs.avif_encode(
        np.ascontiguousarray(coloured.astype(np.uint16)),
        level=quality,
        speed=8,
        bitspersample=_DEEP,
        pixelformat=subsampling.replace(":", ""),
        primaries=1,
        transfer=13,
        matrix=6,
        numthreads=1,
    )
    return bytes(data)


def _png(samples: Samples, _: float | None, profile: bytes | None) -> bytes:
    if samples.dtype == np.uint8:
        return _saved(samples, "PNG", profile, compress_level=6)
    import imagecodecs

    data = bytes(imagecodecs.png_encode(flat(samples), level=6))
    if profile is None:
        return data
    from pipeline.metadata.write import blocks, containers

    return containers.write(data, "png", blocks.Blocks(icc=profile))


def _tiff(samples: Samples, _: float | None, profile: bytes | None) -> bytes:
    if samples.dtype == np.uint8 or samples.shape[2] == 1:
        return _saved(samples, "TIFF", profile, compression="tiff_adobe_deflate")
    import imagecodecs

    data = imagecodecs.tiff_encode(
        samples,
        compression=imagecodecs.TIFF.COMPRESSION.ADOBE_DEFLATE,
        photometric=imagecodecs.TIFF.PHOTOMETRIC.RGB,
        predictor=imagecodecs.TIFF.PREDICTOR.HORIZONTAL,
        extrasample=imagecodecs.TIFF.EXTRASAMPLE.UNASSALPHA if samples.shape[2] == 4 else None,
        iccprofile=profile,
    )
    return bytes(data)


def _gif(samples: Samples, _: float | None, __: bytes | None) -> bytes:
    return _saved(samples, "GIF", None)


def _qualities_of_avif() -> tuple[float, ...]:
    """The highest quality of each quantizer."""
    told = {
        ((100 - quality) * _QUANTIZERS + 50) // 100: float(quality) for quality in range(1, 101)
    }
    return tuple(sorted(told.values()))


WEBP = Encoder("libwebp", "webp", _webp, _QUARTERS, longest=16_383, is_exact=True)
AVIF = Encoder(
    "aom",
    "avif",
    partial(_avif, "4:2:0"),
    _qualities_of_avif(),
    longest=65_535,
    depth=_DEEP,
    has_deep_profile=False,
    is_dear=True,
    in_full_colour=Encoder(
        "aom-444",
        "avif",
        partial(_avif, "4:4:4"),
        _qualities_of_avif(),
        longest=65_535,
        depth=_DEEP,
        has_deep_profile=False,
        is_dear=True,
    ),
)
PNG = Encoder("libpng", "png", _png, depth=16, is_exact=True, is_lossy=False)
TIFF = Encoder("libtiff", "tiff", _tiff, depth=16, is_exact=True, is_lossy=False)
GIF = Encoder("gif", "gif", _gif, longest=65_535, is_lossy=False, has_profile=False)


def flat(samples: Samples) -> Samples:
    """Grey without its third axis, as libraries want it."""
    return samples[..., 0] if samples.shape[2] == 1 else samples


def _saved(samples: Samples, kind: str, profile: bytes | None, **options: Any) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    if profile is not None:
        options["icc_profile"] = profile
    Image.fromarray(flat(samples)).save(out, kind, **options)
    return out.getvalue()
