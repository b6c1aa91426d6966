"""Making pictures smaller."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.codecs import resize
from tests.kit import media


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 1500))
def test_fitted_keeps_shape_and_never_enlarges(width: int, height: int, long_side: int) -> None:
    """The long side is what was asked for or what there is; no side vanishes."""
    to = resize.fitted((width, height), long_side)
    assert max(to) == min(long_side, max(width, height))
    assert min(to) >= 1
    assert abs(to[0] * height - to[1] * width) <= max(width, height)


@pytest.mark.parametrize("to", [(500, 333), (437, 291), (333, 222), (200, 133), (91, 61)])
def test_is_as_good_as_lanczos(to: tuple[int, int]) -> None:
    """Whole steps, low-pass and bicubic together stay close to Pillow's Lanczos."""
    pixels = media.scene(700, 466)
    expected = np.asarray(Image.fromarray(pixels).resize(to, Image.Resampling.LANCZOS))
    got = resize.shrink(pixels, to)
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected).mean() < 2.0


@pytest.mark.parametrize(("width", "height"), [(701, 467), (699, 465), (640, 427)])
def test_a_last_pixel_that_stands_for_less_shifts_nothing(width: int, height: int) -> None:
    """JPEG decoders round scaled sizes up; the picture stays where it was."""
    ramp = np.linspace(0, 255, width)[None, :, None] * np.ones((height, 1, 3))
    down = -(-width // 2), -(-height // 2)
    padded = np.pad(ramp, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    half = padded.reshape(down[1], 2, down[0], 2, 3).mean(axis=(1, 3))
    to = resize.fitted((width, height), 300)
    got = resize.shrink(half.round().astype(np.uint8), to, (width, height)).astype(float)
    expected = (np.arange(to[0]) + 0.5) * width / to[0] - 0.5
    middle = got[to[1] // 2, 8:-8, 0] * (width - 1) / 255
    assert np.abs(middle - expected[8:-8]).mean() < 1.0


def test_equal_size_is_left_alone() -> None:
    """Nothing is resampled that already fits."""
    pixels = media.scene()
    assert resize.shrink(pixels, (96, 64)) is pixels
