"""Photos are photos, and what no camera made is told apart, with the reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.accuracy import damage
from pipeline.model import Done
from pipeline.vision import kind, kind_pixels
from tests.kit import media, pages
from tests.kit.visits import visit

Pixels = NDArray[Any]


def _rgb(path: Path) -> Pixels:
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


def _judged(pixels: Pixels, name: str = "a", told: str = "jpeg", **known: Any) -> kind.Kind:
    height, width = pixels.shape[:2]
    about = kind.Told(name, told, width, height, **{"has_camera": False, **known})
    return kind.judge(kind_pixels.look(pixels), about)


def _facts(path: Path, workdir: Path) -> dict[str, Any]:
    outcome = visit(path, workdir, "facts", "kind")["kind"]
    assert isinstance(outcome, Done)
    return dict(json.loads(json.dumps(outcome.facts, allow_nan=False)))


def test_photos_without_any_metadata_are_photos(corpus: Path) -> None:
    """At least 98 of 100 photos of all sorts, by their pixels alone."""
    found = sorted((corpus.parent / "eval/coco/images").glob("*.jpg"))[::2]
    if not found:
        pytest.skip("the evaluation pictures are absent: they lie beside the corpus")
    kinds = Counter(_judged(_rgb(path)).kind for path in found)
    assert kinds["photo"] >= 0.98 * len(found)


@pytest.mark.parametrize(
    ("make", "wanted"),
    [(pages.screenshot, "screenshot"), (pages.document, "document"), (pages.drawing, "drawing")],
)
def test_what_no_camera_made_is_told(make: Callable[[int], Pixels], wanted: str) -> None:
    """Exact or as JPEG, nine of ten are told from pixels alone."""
    said = Counter[str]()
    for seed in range(8):
        pixels = make(seed)
        said[_judged(pixels, told="png").kind] += 1
        said[_judged(damage.stored(pixels, 80)).kind] += 1
    assert said[wanted] >= 14


def test_captions_make_a_meme_of_a_photo(corpus: Path) -> None:
    """Letters across a photo or a strip with a line beside it; the photo itself is none."""
    photos = [_rgb(path) for path in sorted((corpus / "faces").glob("*.jpg"))[:8]]
    memes = [damage.stored(pages.meme(photo, seed), 80) for seed, photo in enumerate(photos)]
    assert sum(_judged(one).kind == "meme" for one in memes) >= 6
    assert all(_judged(photo).kind == "photo" for photo in photos)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("screenshot/Screenshot 2019-05-21 at 10.45.52.png", "screenshot"),
        ("screenshot/phone-screenshot-1.jpg", "screenshot"),
        ("screenshot/godoc1.png", "screenshot"),
        ("near_dup/screenshot.png", "screenshot"),
        ("screenshot/tweethog.png", "drawing"),
        ("camera_6mp/handwritten-notes.jpg", "photo"),
        ("camera_6mp/Kodak PIXPRO FZ201.jpg", "photo"),
        ("panorama/aurora.jpg", "photo"),
        ("near_dup/ukbench00120_gray.jpg", "photo"),
    ],
)
def test_real_files(corpus: Path, tmp_path: Path, path: str, wanted: str) -> None:
    """Real screenshots, a drawing, and photos that are easily mistaken."""
    assert _facts(corpus / path, tmp_path)["kind"] == wanted


def test_the_name_and_the_camera_speak(corpus: Path) -> None:
    """A name that says screenshot, and a camera named in the file, each are a stated reason."""
    grey = np.full((400, 300, 3), 120, np.uint8)
    named = _judged(grey, name="Bildschirmfoto 2024-01-01.png", told="png")
    assert named.kind == "screenshot"
    assert any("Bildschirmfoto" in sentence for sentence in named.why)
    taken = _judged(pages.drawing(3), has_camera=True)
    assert "The camera that took it is named in it." in taken.why


def test_imagenets_classes_of_printed_things_are_heard() -> None:
    """A comic that the network is sure of is a drawing even with the colours of a photo."""
    looks = kind_pixels.look(media.scene(400, 300))
    about = kind.Told("a", "jpeg", 400, 300, has_camera=False, classes=((917, 1.0),))
    plain = kind.Told("a", "jpeg", 400, 300, has_camera=False)
    assert kind.judge(looks, about).confidence < kind.judge(looks, plain).confidence


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("dot.png", np.zeros((1, 1, 3), np.uint8)),
        ("line.png", np.full((1, 900, 3), 90, np.uint8)),
        ("black.png", np.zeros((300, 400, 3), np.uint8)),
        ("grey16.png", np.linspace(0, 65535, 4800).reshape(60, 80).astype(np.uint16)),
        ("alpha.png", np.dstack([media.scene(), media.scene()[:, :, 0]])),
        ("panorama.png", media.scene(4000, 40)),
    ],
)
def test_odd_pictures_have_a_kind(tmp_path: Path, name: str, pixels: Pixels) -> None:
    """No model is needed; a picture of nothing is a photo rather than a drawing."""
    path = tmp_path / name
    cv2.imwrite(str(path), pixels)
    facts = _facts(path, tmp_path / "work")
    assert facts["kind"] in kind.KINDS
    assert 0 <= facts["confidence"] <= 1
    assert facts["why"]
    assert name != "black.png" or facts["kind"] == "photo"
