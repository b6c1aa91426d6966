"""HEIC and HEIF through libheif, with its own security limits left on.

libheif turns the picture by the file's own transformations, so EXIF's orientation is not applied a
second time. A gain map is ignored: the base picture is the one made for ordinary screens.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.codecs import colour, limits
from pipeline.codecs.border import decoding
from pipeline.codecs.picture import Stored
from pipeline.codecs.samples import as_rgb

if TYPE_CHECKING:
    from pipeline.codecs.picture import Content, Develop


def decode(content: Content, at_least: int | None) -> Stored:
    """The primary picture. Raises `BadMedia`."""
    import pillow_heif

    source = io.BytesIO(content) if isinstance(content, bytes) else content
    source.seek(0)
    with decoding():
        image = pillow_heif.open_heif(source, convert_hdr_to_8bit=True, reload_size=True)
        width, height = image.size
        limits.require_decodable(width, height)
        samples = np.asarray(image)
        if at_least is not None:
            samples = _thinned(samples, max(width, height) // (2 * at_least))
        return Stored(as_rgb(samples), width, height, 1, _develop(image.info))


def _develop(info: dict[str, Any]) -> Develop | None:
    profile = info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        return colour.from_icc(profile)
    codes = info.get("nclx_profile") or {}
    return colour.from_codes(
        int(codes.get("color_primaries", 2)), int(codes.get("transfer_characteristics", 2))
    )


def _thinned(samples: Any, steps: int) -> Any:
    """Means of squares, while it is cheap: what follows works on a fraction of the pixels."""
    import cv2

    if steps < 2:
        return samples
    height, width = samples.shape[:2]
    size = -(-width // steps), -(-height // steps)
    right, below = size[0] * steps - width, size[1] * steps - height
    padded = cv2.copyMakeBorder(samples, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return cv2.resize(padded, size, interpolation=cv2.INTER_AREA)
