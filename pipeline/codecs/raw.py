"""RAW files: the JPEG that the camera put beside its sensor data, else a half-size development.

The embedded picture is what the family saw on the camera's screen, and costs a hundredth of
developing. Files that LibRaw does not know, or that are cut short, are searched for it.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.codecs import jpeg, limits, orient
from pipeline.codecs.border import decoding
from pipeline.codecs.picture import Stored
from pipeline.codecs.samples import as_rgb
from pipeline.errors import BadMedia, DecodeFailed

if TYPE_CHECKING:
    from pipeline.codecs.picture import Content

_GOOD_ENOUGH = 1000  # long side of an embedded picture that need not be developed
_START = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]")
_MOST_STARTS = 64
_FLIPS = {3: 3, 5: 8, 6: 6}  # LibRaw's way of saying EXIF's orientation
_SMALLEST = 100
_FEWEST_BITS = 1.5  # per pixel of sensor data; no camera compresses harder


def decode(content: Content, at_least: int | None) -> Stored:
    """The best picture to be had without developing the full sensor. Raises `BadMedia`."""
    data = content if isinstance(content, bytes) else content.read(limits.MOST_READ)
    try:
        return _by_libraw(data, at_least)
    except BadMedia as failure:
        found = _embedded(data)
        if found is None:
            raise DecodeFailed(
                "The file holds no picture that can be shown; it may be cut short."
            ) from failure
    return _turned(jpeg.decode(found, at_least), found, orient.from_tiff(data))


def digest(data: bytes) -> str:
    """Of the sensor's data and all numbers it is developed by. Raises `BadMedia`.

    Equal digests mean that the same picture comes out of every developer that uses LibRaw's.
    """
    import rawpy

    with decoding(), rawpy.imread(io.BytesIO(data)) as raw:
        limits.require_decodable(raw.sizes.raw_width, raw.sizes.raw_height)
        _require_sensor_data(raw, len(data))
        is_flat = raw.raw_type == rawpy.RawType.Flat
        pixels = raw.raw_image if is_flat else _linear(raw)
        numbers = (
            raw.sizes, raw.camera_whitebalance, raw.daylight_whitebalance,
            raw.black_level_per_channel, raw.white_level, raw.color_desc,
            raw.color_matrix.tolist(), raw.rgb_xyz_matrix.tolist(), raw.tone_curve.tolist(),
        )  # fmt: skip
        seen = hashlib.sha256(pixels.tobytes())
        seen.update(repr(numbers).encode())
        return seen.hexdigest()


def _linear(raw: Any) -> Any:
    """Of a sensor whose data is not one number a place: developed as it is, 16 bits."""
    return raw.postprocess(
        half_size=True, use_camera_wb=True, no_auto_bright=True, gamma=(1, 1), output_bps=16
    )


def _by_libraw(data: bytes, at_least: int | None) -> Stored:
    import rawpy

    with decoding(), rawpy.imread(io.BytesIO(data)) as raw:
        limits.require_decodable(raw.sizes.width, raw.sizes.height)
        orientation = _FLIPS.get(raw.sizes.flip, 1)
        preview = _preview(raw, at_least, orientation)
        if preview is not None and max(preview.width, preview.height) >= _GOOD_ENOUGH:
            return preview
        try:
            _require_sensor_data(raw, len(data))
            return _developed(raw)
        except (rawpy.LibRawError, ValueError, DecodeFailed) as failure:
            if preview is None:
                raise
            return replace(preview, damage=preview.damage or str(failure))


def _preview(raw: Any, at_least: int | None, orientation: int) -> Stored | None:
    import rawpy

    try:
        thumb = raw.extract_thumb()
    except (rawpy.LibRawError, ValueError):
        return None
    if thumb.format == rawpy.ThumbFormat.BITMAP:
        height, width = thumb.data.shape[:2]
        return Stored(as_rgb(thumb.data), width, height, orientation)
    found = bytes(thumb.data)
    stored = _turned(jpeg.decode(found, at_least), found, orientation)
    return stored if max(stored.width, stored.height) >= _SMALLEST else None


def _require_sensor_data(raw: Any, size: int) -> None:
    """LibRaw develops files that were cut short too, into noise."""
    pixels = raw.sizes.raw_width * raw.sizes.raw_height
    if size * 8 < pixels * _FEWEST_BITS:
        raise DecodeFailed("The sensor data is missing: the file was cut short.")


def _developed(raw: Any) -> Stored:
    """Half the size in each direction, upright; LibRaw turns it itself."""
    pixels = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
    height, width, _ = pixels.shape
    return Stored(as_rgb(pixels), 2 * width, 2 * height)


def _turned(stored: Stored, found: bytes, orientation: int) -> Stored:
    """The embedded picture's own orientation wins; without one it lies as the sensor did."""
    own = jpeg.read_head(found).orientation
    return replace(stored, orientation=orientation if own is None else own)


def _embedded(data: bytes) -> bytes | None:
    """The largest JPEG inside, by the size its header states."""
    best, most = None, _SMALLEST * _SMALLEST // 2
    for count, match in enumerate(_START.finditer(data)):
        if count == _MOST_STARTS:
            break
        candidate = data[match.start() :]
        try:
            width, height = jpeg.size(candidate)
        except BadMedia:
            continue
        if most < width * height <= limits.MOST_PIXELS:
            best, most = candidate, width * height
    return best
