"""Turning pictures upright, and finding out by how much."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline.codecs import decode, orient
from tests.kit import media


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_as_pillow_does(orientation: int) -> None:
    """Each of EXIF's eight orientations is turned exactly as another program turns it."""
    pixels = media.scene(30, 20)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, "PNG", exif=image.getexif())
    with Image.open(io.BytesIO(out.getvalue())) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    assert np.array_equal(orient.upright(pixels, orientation), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_once(orientation: int) -> None:
    """However the camera was held, the decoded picture stands upright and says its upright size."""
    upright = media.scene(64, 40)
    stored = orient.upright(upright, _inverse(orientation))
    picture = decode.decode(media.jpeg(stored, orientation, quality=98), "jpeg", None)
    assert (picture.width, picture.height) == (64, 40)
    assert np.abs(picture.pixels.astype(int) - upright).mean() < 12  # wrongly turned it is above 40


@pytest.mark.parametrize("data", [b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"junk" * 9])
def test_damaged_exif_means_upright(data: bytes) -> None:
    """A spoilt block never keeps a picture from being shown."""
    assert orient.from_tiff(data) == 1


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_impossible_orientations_mean_upright(value: int) -> None:
    """Only 1 to 8 exist."""
    block = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x112, 3, 1, value, 0, 0)
    assert orient.from_tiff(block) == 1


def _inverse(orientation: int) -> int:
    return {6: 8, 8: 6}.get(orientation, orientation)
