"""From stored colours to an ordinary screen."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.codecs import colour, decode
from tests.kit import media


def profile(name: str, primaries: tuple[tuple[float, float], ...], gamma: float) -> bytes:
    """A minimal matrix profile, version 2, for D50-adapted primaries given as XYZ columns."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    text = name.encode() + b"\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78,
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(*primaries[0]),
        b"gXYZ": xyz(*primaries[1]),
        b"bXYZ": xyz(*primaries[2]),
        b"rTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0",
    }
    tags[b"gTRC"] = tags[b"bTRC"] = tags[b"rTRC"]
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for key, value in tags.items():
        padded = value + b"\0" * (-len(value) % 4)
        table += struct.pack(">4sII", key, at + len(body), len(value))
        body += padded
    header = struct.pack(
        ">I4sI4s4s4s", at + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


DISPLAY_P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))


def test_srgb_costs_nothing() -> None:
    """The profile that nearly every photo carries needs no conversion."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert colour.from_icc(srgb) is None
    assert colour.from_icc(None) is None


def test_a_wider_profile_is_respected() -> None:
    """The same numbers mean a stronger red in P3: it must come out stronger in sRGB."""
    develop = colour.from_icc(profile("Display P3", DISPLAY_P3, 2.2))
    assert develop is not None
    pixels = np.full((4, 4, 3), (200, 80, 80), np.uint8)
    red, green, blue = develop(pixels)[0, 0].astype(int)
    assert red > 205
    assert green < 78
    assert blue < 80


def test_a_profile_of_a_jpeg_is_applied() -> None:
    """From file to pixels, through the segments of the JPEG."""
    pixels = np.full((64, 64, 3), (200, 80, 80), np.uint8)
    data = media.jpeg(pixels, icc_profile=profile("Display P3", DISPLAY_P3, 2.2))
    assert decode.decode(data, "jpeg", None).fit(64)[30, 30, 0] > 205


@pytest.mark.parametrize("spoilt", [b"\0" * 200, b"x" * 16 + b"RGB " + b"y" * 300, b"RGB "])
def test_a_damaged_profile_counts_as_none(spoilt: bytes) -> None:
    """The picture matters more than its colours' pedigree."""
    assert colour.from_icc(spoilt) is None


@pytest.mark.parametrize(("transfer", "paper"), [(16, 148), (18, 191)])
def test_hdr_is_shown_sensibly(transfer: int, paper: int) -> None:
    """Black stays black, paper white is bright, highlights are still told apart (BT.2408)."""
    develop = colour.from_codes(9, transfer)
    assert develop is not None
    codes = np.array([0, paper // 2, paper, (paper + 255) // 2, 255], np.uint8)
    shown = develop(np.repeat(codes[None, :, None], 3, axis=2))[0, :, 1].astype(int)
    assert shown[0] == 0
    assert 215 <= shown[2] <= 240
    assert list(shown) == sorted(set(shown))
    assert shown[4] <= 255


def test_hdr_keeps_hues() -> None:
    """A bright orange does not turn yellow or white."""
    develop = colour.from_codes(1, 16)
    assert develop is not None
    red, green, blue = develop(np.full((1, 1, 3), (200, 170, 110), np.uint8))[0, 0].astype(int)
    assert red > green > blue
    assert red - blue > 60


def test_sixteen_bit_frames_give_the_same_as_eight() -> None:
    """Videos deliver more bits; the look is one."""
    develop = colour.from_codes(9, 18)
    assert develop is not None
    eight = media.scene()
    sixteen = eight.astype(np.uint16) * 257
    assert np.abs(develop(eight).astype(int) - develop(sixteen)).max() <= 1


def test_ordinary_codes_need_nothing() -> None:
    """BT.709 and "unspecified" are shown as they are."""
    assert colour.from_codes(1, 13) is None
    assert colour.from_codes(2, 2) is None


def test_inks_without_a_profile_still_convert() -> None:
    """A CMYK picture with a profile for something else is converted plainly."""
    image = Image.new("CMYK", (4, 4), (0, 0, 0, 0))
    out = colour.cmyk_to_rgb(image, b"x" * 16 + b"RGB " + b"y" * 99)
    assert out.getpixel((0, 0)) == (255, 255, 255)
    assert io.BytesIO(out.tobytes()).getbuffer().nbytes == 48
