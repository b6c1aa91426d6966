"""From the colours a file was stored in to sRGB on an ordinary screen.

ICC profiles go through LittleCMS; high dynamic range (PQ, HLG) is rolled off above the brightness
of paper, so that what was not dazzling keeps its look. Sources: BT.2100, BT.2408, IEC 61966-2-1.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.codecs.picture import Develop, Pixels

Floats: TypeAlias = NDArray[np.float32]
Samples: TypeAlias = NDArray[Any]  # 8 or 16 bits per sample

PAPER_NITS = 203.0  # BT.2408: diffuse white
SCRGB_NITS = 80.0  # IEC 61966-2-2
_SAME = 2  # levels of 255: other spaces differ by 40 and more
KNEE = 0.6  # of paper white: everything darker is left as it is
_PQ, _HLG = 16, 18  # transfer characteristics, ITU-T H.273
_TO_BT709: dict[int, Floats] = {  # by H.273 colour primaries
    9: np.array(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
        np.float32,
    ),
    12: np.array(
        [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]], np.float32
    ),
}


def is_hdr(transfer: int) -> bool:
    """True for the transfer characteristics (H.273) of PQ and HLG."""
    return transfer in (_PQ, _HLG)


@lru_cache(maxsize=16)
def from_icc(profile: bytes | None) -> Develop | None:
    """How to bring RGB pixels with this profile to sRGB; None where nothing is to be done.

    A damaged profile, or one that is not for RGB, counts as none: the picture matters more.
    """
    if not profile or profile[16:20] != b"RGB " or b"sRGB" in _description(profile):
        return None
    from PIL import Image, ImageCms

    try:
        transform = ImageCms.buildTransform(_opened(profile), _srgb(), "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None

    def develop(pixels: Pixels) -> Pixels:
        return np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), transform))

    return develop


@lru_cache(maxsize=16)
def from_codes(primaries: int, transfer: int) -> Develop | None:
    """The same for H.273 codes, as AVIF, HEIF and videos carry them; tone maps PQ and HLG.

    Takes 8 or 16 bit samples, gives 8 bit.
    """
    if is_hdr(transfer):
        to_light, shape = (_pq, _roll_off) if transfer == _PQ else (_hlg, _hlg_roll_off)
    elif primaries in _TO_BT709:
        to_light, shape = _srgb_light, _clip
    else:
        return None
    matrix = _TO_BT709.get(primaries)

    def develop(pixels: Samples) -> Pixels:
        light = _light_table(to_light, pixels.dtype.itemsize)[pixels]
        shaped = shape(light)
        if matrix is not None:
            shaped = shaped @ matrix.T
        return _encoded(shaped)

    return develop


@lru_cache(maxsize=16)
def means(profile: bytes, primaries: int, transfer: int) -> bool:
    """True where an ICC profile shows colours as these H.273 codes do, to a level of 255."""
    by_profile, by_codes = from_icc(profile), from_codes(primaries, transfer)
    if by_profile is None or by_codes is None:
        return False
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    every = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    return bool(np.abs(by_profile(every).astype(int) - by_codes(every)).max() <= _SAME)


def from_light(samples: NDArray[Any]) -> Pixels:
    """Floats of scRGB (linear, BT.709, 1.0 is 80 nits), as HDR screenshots hold them, as sRGB.

    Where nothing is brighter than 1.0 it is an ordinary picture, whose white is 1.0.
    """
    light = np.nan_to_num(samples[..., :3].astype(np.float32), posinf=125.0)
    if float(light.max(initial=0.0)) > 1.0:
        light = _roll_off(np.maximum(light, 0) * np.float32(SCRGB_NITS / PAPER_NITS))
    return _encoded(light)


def cmyk_to_rgb(image: Any, profile: bytes | None) -> Any:
    """A Pillow CMYK image as RGB, by its own profile where it has a usable one."""
    from PIL import ImageCms

    if profile and profile[16:20] == b"CMYK":
        try:
            return ImageCms.profileToProfile(image, _opened(profile), _srgb(), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # as below
    return image.convert("RGB")


def _description(profile: bytes) -> bytes:
    """The text of the `desc` tag, ASCII or UTF-16 alike; short profiles only hold little else."""
    at = profile.find(b"desc", 128, 1024)
    start = int.from_bytes(profile[at + 4 : at + 8], "big") if at > 0 else 0
    size = int.from_bytes(profile[at + 8 : at + 12], "big") if at > 0 else 0
    return profile[start : start + min(size, 256)].replace(b"\0", b"")


def _opened(profile: bytes) -> Any:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


@lru_cache(maxsize=1)
def _srgb() -> Any:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


# --- Light: 1.0 is paper white -------------------------------------------------------------------


@lru_cache(maxsize=8)
def _light_table(to_light: Callable[[Floats], Floats], bytes_per_sample: int) -> Floats:
    codes = np.linspace(0.0, 1.0, 1 << 8 * bytes_per_sample, dtype=np.float32)
    return to_light(codes).astype(np.float32)


def _pq(code: Floats) -> Floats:
    """BT.2100 table 4: the PQ EOTF."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = code ** (1 / m2)
    nits = 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return np.asarray(nits / PAPER_NITS, np.float32)


def _hlg(code: Floats) -> Floats:
    """BT.2100 table 5: the inverse OETF; light of the scene, its peak is 1.0."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return np.asarray(light, np.float32)


def _srgb_light(code: Floats) -> Floats:
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return np.asarray(light, np.float32)


def _clip(light: Floats) -> Floats:
    return light


def _roll_off(light: Floats) -> Floats:
    """Straight below the knee, then towards 1.0 for ever; by the strongest colour, to keep hues."""
    strongest = light.max(axis=2, keepdims=True)
    over = np.maximum(strongest - KNEE, 0)
    shown = np.minimum(strongest, KNEE) + (1 - KNEE) * over / (over + 1 - KNEE)
    return np.asarray(light * (shown / np.maximum(strongest, 1e-6)), np.float32)


def _hlg_roll_off(light: Floats) -> Floats:
    """BT.2100's OOTF for a 1000 nit display, then as for PQ."""
    luma = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
    nits = 1000 * light * (np.maximum(luma, 1e-6) ** 0.2)[..., None]
    return _roll_off(np.asarray(nits / PAPER_NITS, np.float32))


_STEPS = 4096


@lru_cache(maxsize=1)
def _code_table() -> Pixels:
    light = np.arange(_STEPS, dtype=np.float32) / (_STEPS - 1)
    code = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(code * 255), np.uint8)


def _encoded(light: Floats) -> Pixels:
    steps = np.clip(light * (_STEPS - 1) + 0.5, 0, _STEPS - 1).astype(np.uint16)
    return np.asarray(_code_table()[steps])
