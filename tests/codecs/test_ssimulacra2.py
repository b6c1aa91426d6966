"""The measure of what an eye would miss: what it must be, and what the reference program says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.codecs import decode, ssimulacra2
from tests.kit import media

Pixels = NDArray[Any]
sizes = st.tuples(st.integers(1, 90), st.integers(1, 90))


def noisy(pixels: Pixels) -> Pixels:
    """A little noise, the same each time."""
    noise = np.random.default_rng(7).integers(-9, 10, pixels.shape)
    return np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8)


def coarse(pixels: Pixels) -> Pixels:
    """Few levels, as banding has."""
    return (pixels // 12 * 12 + 6).astype(np.uint8)


def soft(pixels: Pixels) -> Pixels:
    """Out of focus."""
    return np.asarray(cv2.blur(pixels, (3, 3)))


@pytest.mark.parametrize(
    ("size", "damage", "expected"),
    [
        ((320, 240), noisy, 64.215),
        ((320, 240), coarse, -31.830),
        ((320, 240), soft, 49.448),
        ((301, 199), noisy, 64.741),
        ((301, 199), coarse, -27.307),
        ((301, 199), soft, 52.206),
        ((97, 61), noisy, 58.095),
        ((97, 61), coarse, 1.060),
        ((97, 61), soft, 49.435),
        ((23, 28), noisy, 85.089),
        ((23, 28), coarse, 57.158),
        ((23, 28), soft, 69.905),
    ],
)
def test_agrees_with_the_reference_program(
    size: tuple[int, int], damage: Callable[[Pixels], Pixels], expected: float
) -> None:
    """Cloudinary's ssimulacra2 2.1 gave these scores for exactly these pictures."""
    pixels = media.scene(*size)
    assert ssimulacra2.score(pixels, damage(pixels)) == pytest.approx(expected, abs=0.1)


@given(sizes, st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_the_same_picture_scores_100(size: tuple[int, int], seed: int) -> None:
    """Of any size, down to a single pixel."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    assert ssimulacra2.score(pixels, pixels) == pytest.approx(100, abs=0.01)


@given(sizes, st.sampled_from((4, 12, 20, 64)))
@settings(max_examples=40, deadline=None)
def test_tiles_change_nothing(size: tuple[int, int], tile: int) -> None:
    """However the picture is cut for the walk, the score is that of the whole."""
    pixels = media.scene(*size)
    whole = ssimulacra2.score(pixels, noisy(pixels), 4096)
    assert ssimulacra2.score(pixels, noisy(pixels), tile) == pytest.approx(whole, abs=0.05)


@given(st.integers(1, 8), st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_mirrors_and_turns_change_nothing(width: int, height: int) -> None:
    """The picture turned or mirrored together with its copy scores the same.

    Sides are halved five times without a rest: which row counts twice depends on the direction.
    """
    pixels = media.scene(32 * width, 32 * height)
    copy = soft(pixels)
    expected = ssimulacra2.score(pixels, copy)
    for turn in (np.fliplr, np.flipud, lambda p: np.ascontiguousarray(p.transpose(1, 0, 2))):
        turned = ssimulacra2.score(turn(pixels), turn(copy))
        assert turned == pytest.approx(expected, abs=0.2)


@given(st.integers(2, 30))
@settings(max_examples=15, deadline=None)
def test_more_damage_scores_less(strength: int) -> None:
    """Stronger noise is never better."""
    pixels = media.scene(160, 120)
    noise = np.random.default_rng(1).normal(0, 1, pixels.shape)
    weak, strong = (
        np.clip(pixels + noise * s, 0, 255).astype(np.uint8) for s in (strength, strength + 4)
    )
    assert ssimulacra2.score(pixels, strong) < ssimulacra2.score(pixels, weak)


def test_tiles_alone_say_nearly_the_same() -> None:
    """A mosaic judged tile by tile is as good a guess as a search needs."""
    pixels = np.asarray(cv2.GaussianBlur(media.scene(256, 1024), (0, 0), 2))
    for quality in (70, 85, 95):
        copy = decode.decode(media.jpeg(pixels, quality=quality), "jpeg", None).pixels
        whole = ssimulacra2.score(pixels, copy)
        assert ssimulacra2.quick(pixels, copy) == pytest.approx(whole, abs=3)


def test_a_long_strip_is_walked_in_small_pieces() -> None:
    """16385 pixels wide: as any other picture."""
    strip = np.ascontiguousarray(np.tile(media.scene(257, 16), (1, 64, 1))[:, :16385])
    assert 0 < ssimulacra2.score(strip, noisy(strip)) < 90
