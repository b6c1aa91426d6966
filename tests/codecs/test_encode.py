"""Pixels out: every format gives back what was put in, and carries what it can carry."""

from __future__ import annotations

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.codecs import decode, ssimulacra2
from pipeline.codecs.encode import choose, jpeg, negative
from pipeline.codecs.encode.contract import Encoder
from pipeline.codecs.encode.negative import Negative
from pipeline.errors import BadMedia, DecodeFailed, TooBig
from pipeline.metadata import light
from pipeline.metadata.write import containers
from tests.kit import media


def encoder(name: str) -> Encoder:
    """The encoder of a format, which must be there."""
    found = choose.encoder(name)
    assert found is not None
    return found


def wide_gamut() -> bytes:
    """An RGB profile that is not sRGB: the same with red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ", 128), profile.find(b"gXYZ", 128)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile.replace(b"s\0R\0G\0B\0", b"T\0E\0S\0T\0").replace(b"sRGB", b"TEST"))


@pytest.mark.parametrize("name", choose.STILLS)
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (64, 48), (131, 77)])
def test_gives_back_what_was_put_in(name: str, size: tuple[int, int]) -> None:
    """Any size: without loss exactly, with loss nearly."""
    out, pixels = encoder(name), media.scene(*size)
    data = out.write(pixels, None if out.is_exact else 95, None)
    shown = decode.decode(out.finish(data), name, None).pixels
    assert shown.shape == pixels.shape
    if out.is_exact:
        assert np.array_equal(shown, pixels)
    else:
        assert np.abs(shown.mean(axis=2) - pixels.mean(axis=2)).mean() < 12  # chroma is halved


@pytest.mark.parametrize("name", [name for name in choose.STILLS if name != "jxl"])
def test_carries_the_profile(name: str) -> None:
    """The ICC profile comes back byte for byte."""
    profile = wide_gamut()
    assert containers.read(encoder(name).write(media.scene(), 90, profile), name).icc == profile


def test_brings_colours_to_srgb_where_no_profile_can_go() -> None:
    """JPEG XL from us is sRGB: the picture looks the same as with its profile."""
    wide = Negative(media.scene(), wide_gamut())
    fitted = negative.fitted(wide, encoder("jxl"))
    assert fitted.profile is None
    assert not fitted.keeps_colours
    assert fitted.left_out
    assert np.array_equal(fitted.samples, wide.shown())
    assert not np.array_equal(fitted.samples, wide.samples)


@pytest.mark.parametrize("quality", [None, 92.0])
def test_display_p3_stays_wide_in_jpeg_xl(corpus: Path, quality: float | None) -> None:
    """What phones write: the colours have their name in the file and look the same."""
    data = (corpus / "hdr_gainmap" / "apple_gainmap_new.jpg").read_bytes()
    sheet = negative.fitted(negative.read(data, "jpeg"), encoder("jxl"))
    assert sheet.profile is not None
    assert sheet.left_out == ()
    made = encoder("jxl").write(sheet.samples, quality, sheet.profile)
    assert light.of_jxl(made) == (12, 13)
    shown = decode.decode(made, "jxl", None).pixels
    assert np.abs(shown.astype(int) - sheet.shown()).mean() < (0.5 if quality is None else 3)
    if quality is None:
        assert np.array_equal(imagecodecs.jpegxl_decode(made), sheet.samples)


@pytest.mark.parametrize("name", ["png", "tiff", "jxl"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_stay_sixteen(name: str, channels: int) -> None:
    """Deep samples go out and come back as they were."""
    deep = np.random.default_rng(1).integers(0, 65536, (24, 40, channels), np.uint16)
    deep[..., -1] |= 1
    data = encoder(name).write(deep, None, None)
    assert np.array_equal(negative.read(data, name).samples, deep)


def test_deep_pictures_are_rounded_for_formats_of_eight_bits() -> None:
    """And it is told."""
    deep = np.full((8, 8, 3), 65535, np.uint16)
    fitted = negative.fitted(Negative(deep, bits=16), encoder("jpeg"))
    assert (fitted.samples == 255).all()
    assert fitted.left_out == ("colours finer than eight bits",)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_transparency_is_white_in_a_jpeg_and_stays_elsewhere(kind: str) -> None:
    """As paper shows through; formats that know transparency keep it."""
    picture = Image.fromarray(media.scene()).convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 40, 40))
    out = io.BytesIO()
    picture.save(out, kind, **({"lossless": True} if kind == "WEBP" else {}))
    clear = negative.read(out.getvalue(), kind.lower())
    assert clear.samples.shape[2] == 4
    assert (negative.fitted(clear, encoder("jpeg")).samples[4:36, 4:36] == 255).all()
    assert (negative.fitted(clear, encoder("avif")).samples[4:36, 4:36, 3] == 0).all()


def test_a_palette_with_one_clear_colour_keeps_it() -> None:
    """PNG's oldest transparency."""
    picture = Image.fromarray(media.scene()).quantize(16)
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=0)
    clear = negative.read(out.getvalue(), "png").samples
    assert clear.shape[2] == 4
    assert (clear[..., 3] == 0).any()


def test_inks_become_srgb() -> None:
    """A CMYK JPEG is readable as RGB, and its ink profile goes no further."""
    out = io.BytesIO()
    Image.fromarray(media.scene()).convert("CMYK").save(out, "JPEG", quality=95)
    shown = negative.read(out.getvalue(), "jpeg")
    assert shown.samples.shape[2] == 3
    assert shown.profile is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_stand_upright(orientation: int) -> None:
    """Whatever EXIF said of them: the negative equals the picture as it is shown."""
    data = media.jpeg(orientation=orientation)
    assert np.array_equal(
        negative.read(data, "jpeg").samples, decode.decode(data, "jpeg", None).pixels
    )


@pytest.mark.parametrize("profile", [b"", b"nonsense", bytes(200)])
def test_a_wrong_profile_costs_nothing_but_itself(profile: bytes) -> None:
    """Nonsense is not handed on."""
    data = media.saved(media.scene(), "PNG", icc_profile=profile)
    assert negative.read(data, "png").profile is None


@pytest.mark.parametrize("name", ["photo.jpg", "picture.png", "picture.webp", "phone.heic"])
def test_half_a_picture_is_no_negative(name: str) -> None:
    """Previews may be made of it, copies not."""
    data = media.SEEDS[name]()
    kind = {"jpg": "jpeg"}.get(name.split(".")[1], name.split(".")[1])
    with pytest.raises(BadMedia):
        negative.read(data[: len(data) * 2 // 3], kind)


def test_a_strip_too_long_for_a_format_is_refused() -> None:
    """WebP ends at 16383 pixels."""
    strip = Negative(np.zeros((2, 16385, 3), np.uint8))
    with pytest.raises(TooBig):
        negative.fitted(strip, encoder("webp"))
    assert negative.fitted(strip, encoder("jpeg")).size == (16385, 2)


def test_works_without_jpegli(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then libjpeg-turbo writes."""
    monkeypatch.setitem(__import__("sys").modules, "pyjpegli", None)
    jpeg.encoder.cache_clear()
    try:
        out = jpeg.encoder()
        assert out.name == "libjpeg-turbo"
        data = out.finish(out.write(media.scene(), 95, None))
        assert decode.decode(data, "jpeg", None).pixels.shape == (64, 96, 3)
    finally:
        jpeg.encoder.cache_clear()


def test_full_colour_is_kept_where_halved_chroma_would_cost_much() -> None:
    """Red on blue, pixel by pixel: only the form without halved chroma gets near."""
    board = np.indices((64, 64)).sum(axis=0) // 2 % 2
    pixels = np.where(board[..., None], (230, 20, 20), (20, 20, 230)).astype(np.uint8)
    scores = {}
    for out in (jpeg.TURBO, jpeg.TURBO.in_full_colour):
        assert out is not None
        shown = decode.decode(out.write(pixels, 95, None), "jpeg", None).pixels
        scores[out.name] = ssimulacra2.score(pixels, shown)
    assert scores["libjpeg-turbo-444"] > scores["libjpeg-turbo"] + 20


def test_a_jpeg_inside_a_jpeg_xl_is_read_as_the_jpeg() -> None:
    """With its profile, which a JPEG XL decoder would not tell."""
    data = media.jpeg(icc_profile=wide_gamut())
    inside = bytes(imagecodecs.jpegxl_encode_jpeg(data))
    assert np.array_equal(
        decode.decode(inside, "jxl", None).pixels, decode.decode(data, "jpeg", None).pixels
    )
    assert negative.read(inside, "jxl").profile == wide_gamut()


def test_damage_in_a_deep_picture_is_refused() -> None:
    """Not a crash of the library behind it."""
    deep = np.random.default_rng(1).integers(0, 65536, (64, 64, 3), np.uint16)
    data = encoder("png").write(deep, None, None)
    with pytest.raises(DecodeFailed):
        negative.read(data[: len(data) // 2], "png")
