"""Colours finer than eight bits: read from HEIC and AVIF, and kept wherever the new format can."""

from __future__ import annotations

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
import pytest

from pipeline.codecs import converting, decode, shrinking
from pipeline.codecs.converting import Converted, Order
from pipeline.codecs.encode import choose, negative
from pipeline.codecs.encode.contract import Encoder, Samples
from pipeline.codecs.shrinking import Declined, Wish
from pipeline.metadata import heif
from tests.codecs.test_encode import wide_gamut
from tests.codecs.test_hdr import BT2020_PQ, png, pq_codes

DEEP = ("png", "tiff", "jxl", "heic", "avif")


def ramp(bits: int = 10) -> Samples:
    """A gradient finer than eight bits, spread over sixteen."""
    most = (1 << bits) - 1
    row = np.linspace(0.3, 0.7, 512) * most
    steps = np.tile(np.round(row).astype(np.uint32), (96, 1))
    return np.repeat((steps * 65535 // most).astype(np.uint16)[..., None], 3, axis=2)


def encoder(name: str) -> Encoder:
    """The encoder of a format, which must be there."""
    found = choose.encoder(name)
    assert found is not None
    return found


def levels(data: bytes, kind: str) -> int:
    """How many shades of grey the file tells apart."""
    return len(np.unique(negative.read(data, kind).samples[..., 1]))


def deep_file(kind: str) -> bytes:
    """The gradient in ten bits."""
    return encoder(kind).write(ramp(), 98, None)


@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_ten_bits_are_read_and_written(kind: str) -> None:
    """Ten bits out, ten bits in; more shades than eight bits have, and the right ones."""
    data = deep_file(kind)
    read = negative.read(data, kind)
    assert read.bits == 10
    assert read.samples.dtype == np.uint16
    assert np.abs(read.samples.astype(int) - ramp()).mean() < 65535 / 1023
    assert levels(data, kind) > 180
    shown = decode.decode(data, kind, None).pixels
    assert np.abs(shown.astype(int) - (ramp() >> 8)).mean() < 2


@pytest.mark.parametrize("kind", ["heic", "avif"])
@pytest.mark.parametrize("to", DEEP)
def test_converting_keeps_them(kind: str, to: str) -> None:
    """From and to every format that can hold them, with nothing to be told of."""
    made = converting.convert(deep_file(kind), kind, Order(to, quality=98))
    assert isinstance(made, Converted)
    assert made.left_out == ()
    assert levels(made.copy.data, to) > 180
    if to == "avif":
        assert heif.bits(made.copy.data) == 10
    if to == "heic":
        source = io.BytesIO(made.copy.data)
        assert pillow_heif.open_heif(source, convert_hdr_to_8bit=False).info["bit_depth"] == 10


@pytest.mark.parametrize("to", ["jpeg", "webp"])
def test_eight_bits_are_told(to: str) -> None:
    """Converting says what was left out; making smaller declines."""
    data = deep_file("heic")
    made = converting.convert(data, "heic", Order(to, quality=90))
    assert isinstance(made, Converted)
    assert made.left_out == ("colours finer than eight bits",)
    assert isinstance(shrinking.shrink(data, "heic", Wish(to)), Declined)


def test_sixteen_bits_are_more_than_ten() -> None:
    """A 16-bit PNG as AVIF keeps ten bits, and that is told."""
    data = bytes(imagecodecs.png_encode(ramp(16)))
    made = converting.convert(data, "png", Order("avif", quality=95))
    assert isinstance(made, Converted)
    assert made.left_out == ("colours finer than ten bits",)
    assert heif.bits(made.copy.data) == 10


def test_a_profile_goes_before_the_bits() -> None:
    """AVIF with a profile has eight bits: its colours are right, and that is told."""
    deep = encoder("heic").write(ramp(), 98, wide_gamut())
    read = negative.read(deep, "heic")
    assert (read.bits, read.profile) == (10, wide_gamut())
    fitted = negative.fitted(read, encoder("avif"))
    assert fitted.samples.dtype == np.uint8
    assert fitted.profile == wide_gamut()
    assert fitted.left_out == ("colours finer than eight bits",)


def test_hdr_codes_are_developed() -> None:
    """Sixteen bits of PQ are no sRGB: they are tone-mapped, not handed on grey."""
    read = negative.read(png(pq_codes(), BT2020_PQ), "png")
    assert read.samples.dtype == np.uint8
    assert not read.keeps_colours


@pytest.mark.long
def test_a_cameras_ten_bits(corpus: Path) -> None:
    """Sony's HIF."""
    data = (corpus / "heic" / "Sony.HIF").read_bytes()
    read = negative.read(data, "heic")
    assert read.bits == 10
    shown = decode.decode(data, "heic", None).pixels
    assert shown.shape == read.shown().shape
    assert np.abs(shown.astype(int) - read.shown()).mean() < 1
