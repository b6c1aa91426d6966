"""JPEG in and out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.codecs import decode, jpeg
from pipeline.errors import BadMedia, TooBig
from tests.kit import bombs, media


@pytest.mark.parametrize(
    ("at_least", "width"),
    [(None, 1600), (1600, 1600), (801, 1600), (800, 800), (300, 400), (1, 200)],
)
def test_decodes_at_the_smallest_scale_that_suffices(at_least: int | None, width: int) -> None:
    """Only halves, quarters and eighths, and never below what was asked for."""
    stored = jpeg.decode(media.jpeg(media.scene(1600, 1000)), at_least)
    assert stored.pixels.shape[1] == width
    assert (stored.width, stored.height) == (1600, 1000)


@pytest.mark.parametrize("keep", [0.9, 0.5, 0.3])
def test_a_truncated_photo_shows_what_is_left(keep: float) -> None:
    """Cut anywhere after its head, a photo is still shown from the top, and flagged."""
    whole = media.jpeg(media.scene(640, 480))
    picture = decode.decode(whole[: int(len(whole) * keep)], "jpeg", None)
    assert picture.damage is not None
    assert "missing" in picture.damage
    top = decode.decode(whole, "jpeg", None).pixels[:48]
    assert np.abs(picture.pixels[:48].astype(int) - top).mean() < 3


def test_bytes_behind_the_picture_are_no_damage() -> None:
    """Motion photos and panoramas carry more behind the end; the photo is whole."""
    assert decode.decode(media.jpeg() + b"\0" * 5000, "jpeg", None).damage is None


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_every_kind_of_ink_becomes_rgb(mode: str) -> None:
    """Grey, printers' inks and screens' colours all look alike afterwards."""
    out = io.BytesIO()
    pixels = np.full((40, 60, 3), (200, 200, 200), np.uint8)
    Image.fromarray(pixels).convert(mode).save(out, "JPEG", quality=95)
    picture = decode.decode(out.getvalue(), "jpeg", None)
    assert picture.pixels.shape == (40, 60, 3)
    assert np.abs(picture.pixels.astype(int) - 200).max() < 8


def test_a_200_megapixel_photo_is_accepted() -> None:
    """The largest phone cameras' photos are decoded (T50)."""
    data = media.jpeg(np.full((200, 160, 3), 90, np.uint8))
    picture = decode.decode(_claiming(data, 16_320, 12_240), "jpeg", 1440)
    assert (picture.width, picture.height) == (16_320, 12_240)


def test_a_280_megapixel_photo_is_not_decoded() -> None:
    """Beyond the limit the header alone decides."""
    with pytest.raises(TooBig, match="280 million"):
        decode.decode(_claiming(media.jpeg(), 20_000, 14_000), "jpeg", 1440)


def test_endless_scans_are_refused() -> None:
    """A progressive JPEG of thousands of passes is not decoded by any decoder (T50)."""
    with pytest.raises(TooBig, match="steps"):
        decode.decode(bombs.jpeg_scans(), "jpeg", 1440)


def test_derivatives_carry_no_metadata() -> None:
    """What we write holds no EXIF, GPS, comment or profile."""
    with Image.open(io.BytesIO(jpeg.encode(media.scene(), 90))) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\0\x10Exif", b"\xff" * 99])
def test_hopeless_files_raise_bad_media(data: bytes) -> None:
    """What is no picture says so, in the tree's own words."""
    with pytest.raises(BadMedia):
        decode.decode(data, "jpeg", 100)


def _claiming(data: bytes, width: int, height: int) -> bytes:
    at = data.index(b"\xff\xc0")
    sides = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return data[: at + 5] + sides + data[at + 9 :]
