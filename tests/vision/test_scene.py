"""Scenes: what is said is sure, and what is not sure is "unknown"."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.model import Done, Skip
from pipeline.vision import features, heads, scene
from pipeline.vision.heads import Head
from tests.kit import media
from tests.kit.visits import visit


@pytest.fixture
def evaluation(corpus: Path) -> Path:
    """The labelled pictures beside the corpus; skips the test where they are absent."""
    folder = corpus.parent / "eval"
    if not (folder / "scene15").is_dir():
        pytest.skip("the evaluation pictures are absent: they lie beside the corpus")
    return folder


def _head(threshold: float) -> Head:
    weights = np.eye(3, features.DIMS, dtype=np.float32) * 5
    return Head(("left", "right", "other"), ("other",), weights, np.zeros(3, np.float32), threshold)


def _vector(at: int, strength: float = 1.0) -> heads.NDArray[np.float32]:
    vector = np.zeros(features.DIMS, np.float32)
    vector[at] = strength
    return vector


def test_a_sure_answer_is_said_and_an_unsure_one_is_not() -> None:
    """Below its threshold a head says "unknown", with how near it came."""
    assert heads.ask(_head(0.8), _vector(1)).label == "right"
    unsure = heads.ask(_head(0.8), _vector(1, 0.2))
    assert unsure.label == heads.UNKNOWN
    assert 0.4 < unsure.confidence < 0.8


def test_classes_learnt_to_be_left_unsaid_are_unknown() -> None:
    """A picture surely of "something else" has no scene, whatever the threshold."""
    assert heads.ask(_head(0.0), _vector(2)).label == heads.UNKNOWN


def test_heads_survive_being_stored() -> None:
    """Weights kept as int8 answer as the exact ones within a hundredth."""
    rng = np.random.default_rng(2)
    exact = Head(("a", "b"), (), rng.normal(size=(2, 1280)).astype(np.float32), np.zeros(2), 0.5)
    table = heads.to_json("some model", {"one": exact})
    kept = heads._head(table["heads"]["one"])
    for _ in range(20):
        vector = rng.normal(size=1280).astype(np.float32)
        vector /= np.linalg.norm(vector)
        near = heads.ask(kept, vector).confidence
        assert near == pytest.approx(heads.ask(exact, vector).confidence, abs=0.01)


def test_the_heads_that_come_with_it_fit_in_200_kb() -> None:
    """Three heads, fifteen scenes, small enough to read in a review."""
    told = heads.load().by_name
    assert set(told) == {"place", "light", "scene"}
    assert len(set(told["scene"].labels) - set(told["scene"].unspoken)) == 15
    assert heads.FILE.stat().st_size < 200_000


def test_imagenets_own_scenes_are_summed_and_need_to_be_sure() -> None:
    """Several classes of one scene count together; half sure is "unknown"."""
    assert scene.further([(977, 0.3), (978, 0.4), (1, 0.3)]).label == "beach"
    assert scene.further([(978, 0.5), (970, 0.4)]).label == heads.UNKNOWN
    assert scene.further([]).label == heads.UNKNOWN


def test_without_features_it_is_asked_again_another_day(tmp_path: Path) -> None:
    """No features, or those of another network: nothing is said, nothing is final."""
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg())
    known = {"vector": "", "classes": [], "model": "another 1.0"}
    for facts in ({}, {"features": known}):
        outcome = visit(path, tmp_path / "work", "scene", facts=facts)["scene"]
        assert isinstance(outcome, Skip)
        assert not outcome.is_final


def test_both_stages_agree_on_one_visit(evaluation: Path, tmp_path: Path, models: Path) -> None:
    """In one visit features come first and scenes are told from them."""
    path = evaluation / "scene15/Kitchen"
    outcomes = visit(min(path.iterdir()), tmp_path, "features", "scene", models=models)
    told = outcomes["scene"]
    assert isinstance(told, Done)
    assert told.facts["place"]["label"] == "indoor"
    assert told.facts["scene"]["label"] == "kitchen"
    assert told.facts["light"]["label"] == heads.UNKNOWN


@pytest.mark.parametrize(
    ("folder", "head", "label"),
    [
        ("day_night/day", "light", "day"),
        ("day_night/night", "light", "night"),
        ("scene15/Office", "place", "indoor"),
        ("scene15/Coast", "place", "outdoor"),
        ("scene15/Forest", "scene", "forest"),
        ("scene15/Suburb", "scene", "suburb"),
    ],
)
def test_what_is_said_is_right(
    evaluation: Path, models: Path, folder: str, head: str, label: str
) -> None:
    """Of ten pictures nothing wrong is said, and most are told (docs/accuracy.md has the rest)."""
    said = Counter[str]()
    for path in sorted((evaluation / folder).iterdir())[::4][:10]:
        seen = features.look(models, cv2.imread(str(path))[:, :, ::-1])
        said[scene.describe(seen.vector, seen.classes)[head]["label"]] += 1
    assert said.keys() <= {label, heads.UNKNOWN, *scene.FURTHER}
    assert said[label] >= 7
