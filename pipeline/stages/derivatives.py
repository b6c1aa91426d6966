"""The pictures made for the eye: how large, how good, and how they are written.

All are baseline JPEGs without metadata. Sizes: a preview fills a laptop's screen, a thumbnail is
sharp in a grid on a phone. Quality 92 keeps every preview above 80 SSIMULACRA2.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.model import Made

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

PREVIEW_SIDE, PREVIEW_QUALITY = 1440, 92
THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 480, 82


def write_both(workdir: Path, kind: str, pixels: Pixels) -> tuple[Made, Made]:
    """`pixels` as the large derivative called `kind`, and the thumbnail made from them."""
    large = _write(workdir, kind, pixels, PREVIEW_QUALITY)
    return large, write_thumbnail(workdir, pixels)


def write_thumbnail(workdir: Path, pixels: Pixels) -> Made:
    """The thumbnail of an upright sRGB picture of any size."""
    from pipeline.codecs import resize

    height, width, _ = pixels.shape
    small = resize.shrink(pixels, resize.fitted((width, height), THUMBNAIL_SIDE))
    return _write(workdir, "thumbnail", small, THUMBNAIL_QUALITY)


def _write(workdir: Path, kind: str, pixels: Pixels, quality: int) -> Made:
    from pipeline.codecs import jpeg

    name = f"{kind}.jpg"
    (workdir / name).write_bytes(jpeg.encode(pixels, quality))
    height, width, _ = pixels.shape
    return Made(kind, name, "image/jpeg", width, height)
