"""What a picture is like: one vector, the same for the same picture, near for near pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.model import Done, Skip
from pipeline.vision import features
from tests.kit import media
from tests.kit.visits import visit


def _facts(path: Path, workdir: Path, models: Path) -> dict[str, Any]:
    outcome = visit(path, workdir, "features", models=models)["features"]
    assert isinstance(outcome, Done), outcome
    return dict(json.loads(json.dumps(outcome.facts)))


def test_a_vector_survives_being_stored() -> None:
    """What is kept as text comes back within what float16 can hold."""
    vector = np.random.default_rng(1).normal(size=features.DIMS).astype(np.float32)
    vector /= np.linalg.norm(vector)
    back = features.unpacked(features.packed(vector))
    np.testing.assert_allclose(back, vector, atol=1e-4)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64 at all"])
def test_what_is_no_vector_is_refused(text: str) -> None:
    """A damaged fact is an error, never a wrong vector."""
    with pytest.raises(ValueError, match=r"."):
        features.unpacked(text)


def test_without_the_model_it_is_asked_again_another_day(tmp_path: Path) -> None:
    """A missing model is no failure of the file, and the reason says what to do."""
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg())
    outcome = visit(path, tmp_path / "work", "features", models=tmp_path)["features"]
    assert isinstance(outcome, Skip)
    assert not outcome.is_final
    assert "darkroom models fetch" in outcome.why


def test_facts_are_as_agreed(tmp_path: Path, models: Path) -> None:
    """The vector has unit length; classes are sorted probabilities; the model is named."""
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg(media.scene(640, 480)))
    facts = _facts(path, tmp_path / "work", models)
    assert np.linalg.norm(features.unpacked(facts["vector"])) == pytest.approx(1, abs=1e-2)
    odds = [odd for _, odd in facts["classes"]]
    assert odds == sorted(odds, reverse=True)
    assert 0 < sum(odds) <= 1
    assert facts["model"] == "efficientnet-lite0 0.1.0"


def test_crops_and_mirrored_copies_are_near(corpus: Path, models: Path) -> None:
    """A mirrored copy and a crop are nearer than any other photo, above a cosine of 0.8."""
    path = corpus / "near_dup/ukbench00120.jpg"
    pixels = cv2.imread(str(path))[:, :, ::-1]
    other = cv2.imread(str(corpus / "faces/2007_007763.jpg"))[:, :, ::-1]
    here = features.look(models, pixels).vector
    assert here @ features.look(models, pixels[:, ::-1]).vector > 0.8
    assert here @ features.look(models, pixels[40:-30, 30:-60]).vector > 0.8
    assert here @ features.look(models, other).vector < 0.5


def _grey16() -> NDArray[Any]:
    return np.linspace(0, 65535, 40 * 60).reshape(40, 60).astype(np.uint16)


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("dot.png", np.zeros((1, 1, 3), np.uint8)),
        ("line.png", np.full((1, 900, 3), 90, np.uint8)),
        ("grey.png", media.scene()[:, :, 1]),
        ("grey16.png", _grey16()),
        ("alpha.png", np.dstack([media.scene(), media.scene()[:, :, 0]])),
        ("panorama.png", media.scene(3000, 90)),
    ],
)
def test_odd_pictures_have_features(
    tmp_path: Path, models: Path, name: str, pixels: NDArray[Any]
) -> None:
    """One pixel, a line, grey, 16 bits, transparency, a panorama: all are looked at."""
    path = tmp_path / name
    cv2.imwrite(str(path), pixels)
    facts = _facts(path, tmp_path / "work", models)
    assert np.isfinite(features.unpacked(facts["vector"])).all()
