"""What is hidden is gone, and nothing else changes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codecs.blur import STRONGEST, Hidden, hide
from tests.kit import media

SCENE = media.scene(240, 180, seed=4)
PART = Hidden((80.0, 60.0, 150.0, 140.0))


def _detail(pixels: np.ndarray) -> float:
    """How much is there that an eye or a network could hold on to."""
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


@pytest.mark.parametrize("shape", ["ellipse", "box"])
@pytest.mark.parametrize("strength", range(STRONGEST + 1))
def test_only_the_hidden_part_changes(shape: str, strength: int) -> None:
    """Outside of its region every sample stays; inside of the box all detail is gone."""
    part = Hidden(PART.box, strength)
    made = hide(SCENE, [part], shape)  # type: ignore[arg-type]  # parametrised
    left, top, right, bottom = part.region(240, 180)
    outside = np.ones(SCENE.shape[:2], bool)
    outside[top:bottom, left:right] = False
    assert (made[outside] == SCENE[outside]).all()
    box = np.s_[60:140, 80:150]
    assert _detail(made[box]) < _detail(SCENE[box]) / 50


def test_hiding_again_gives_other_pixels() -> None:
    """Noise that can be repeated could be taken away again."""
    assert (hide(SCENE, [PART]) != hide(SCENE, [Hidden(PART.box)])).any()


def test_sharpening_brings_nothing_back() -> None:
    """Best linear guess of the face from its blurred copy: almost nothing of its detail."""
    made = hide(SCENE, [PART]).astype(np.float32)[60:140, 80:150].mean(axis=2)
    face = SCENE.astype(np.float32)[60:140, 80:150].mean(axis=2)
    sharp = made + 8 * (made - cv2.GaussianBlur(made, (0, 0), 3))
    detail = face - cv2.GaussianBlur(face, (0, 0), 6)
    guess = sharp - cv2.GaussianBlur(sharp, (0, 0), 6)
    assert abs(np.corrcoef(detail.ravel(), guess.ravel())[0, 1]) < 0.3


def test_every_strength_hides_more() -> None:
    """A wider region, and in the end one colour."""
    sizes = []
    for strength in range(STRONGEST + 1):
        left, top, right, bottom = Hidden(PART.box, strength).region(10_000, 10_000)
        sizes.append((right - left) * (bottom - top))
    assert sizes == sorted(set(sizes))
    flat = hide(SCENE, [Hidden(PART.box, STRONGEST)])[70:130, 90:140]
    assert float(flat.reshape(-1, 3).std(axis=0).max()) < 1


@pytest.mark.parametrize(("channels", "kind"), [(1, "uint8"), (4, "uint8"), (3, "uint16")])
def test_all_kinds_of_samples(channels: int, kind: str) -> None:
    """Grey, transparent and deep pictures; transparency itself stays."""
    samples = np.repeat(SCENE.mean(axis=2, keepdims=True), channels, axis=2).astype(kind)
    samples = samples * 257 if kind == "uint16" else samples
    made = hide(samples, [PART])
    assert made.dtype == samples.dtype
    assert made.shape == samples.shape
    assert (made[60:140, 80:150, 0] != samples[60:140, 80:150, 0]).mean() > 0.9
    if channels == 4:
        assert (made[..., 3] == samples[..., 3]).all()


@given(st.tuples(*(st.floats(-50, 300) for _ in range(4))), st.integers(0, STRONGEST))
@settings(max_examples=60, deadline=None)
def test_any_box_is_survived(box: tuple[float, float, float, float], strength: int) -> None:
    """Outside of the picture, upside down, without any size."""
    assert hide(SCENE, [Hidden(box, strength)]).shape == SCENE.shape
