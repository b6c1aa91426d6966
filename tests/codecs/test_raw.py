"""Cameras' own files."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from pipeline.codecs import decode
from pipeline.errors import BadMedia
from tests.kit import media


def test_without_a_preview_the_sensor_is_developed() -> None:
    """At half the size, which is plenty for a preview; the size told is the full one."""
    picture = decode.decode(media.dng(), "dng", 1440)
    assert (picture.width, picture.height) == (64, 48)
    assert picture.pixels.shape == (24, 32, 3)
    assert picture.damage is None


def test_the_embedded_picture_is_found_in_files_nobody_knows() -> None:
    """A RAW that LibRaw refuses still shows what the camera showed, turned as it was held."""
    shown = media.jpeg(media.scene(400, 300))
    small = media.jpeg(media.scene(120, 90))
    head = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x112, 3, 1, 6, 0, 0)
    data = head + b"\0" * 500 + small + b"\0" * 300 + shown + b"\xff" * 200
    picture = decode.decode(data, "pef", 1440)
    assert (picture.width, picture.height) == (300, 400)
    expected = np.rot90(media.scene(400, 300), -1)
    assert np.abs(picture.pixels.astype(int) - expected).mean() < 10


def test_a_file_cut_before_its_sensor_data_is_not_developed_into_noise() -> None:
    """LibRaw would fill up with anything; we say what is wrong."""
    with pytest.raises(BadMedia, match="cut short"):
        decode.decode(media.dng(640, 480)[:2000], "dng", 1440)


@pytest.mark.parametrize("kind", ["cr2", "cr3", "nef", "arw", "raf", "orf", "rw2", "crw", "x3f"])
def test_hopeless_files_raise_bad_media(kind: str) -> None:
    """Noise under any RAW name ends as a sentence."""
    with pytest.raises(BadMedia):
        decode.decode(bytes(np.random.default_rng(1).integers(0, 256, 5000, np.uint8)), kind, 100)
