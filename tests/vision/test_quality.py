"""Quality: damage is told from good photos, and every score says why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.accuracy import damage
from bench.accuracy.train_quality import auc
from pipeline.model import Done
from pipeline.vision.quality import compression, measures, score, senses
from tests.kit import media
from tests.kit.visits import visit

Pixels = NDArray[Any]


@pytest.fixture(scope="module")
def photos(corpus: Path) -> list[Pixels]:
    """Thirty good photos; skips the test where the evaluation pictures are absent."""
    found = sorted((corpus.parent / "eval/coco/images").glob("*.jpg"))[1::4][:30]
    if not found:
        pytest.skip("the evaluation pictures are absent: they lie beside the corpus")
    return [np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1]) for path in found]


def _felt(pictures: Sequence[Pixels], sense: str) -> NDArray[np.float64]:
    return np.array([senses.feel(measures.measure(picture))[sense] for picture in pictures])


@pytest.mark.parametrize("sense", senses.READS)
def test_damage_is_told_from_clean(photos: list[Pixels], sense: str) -> None:
    """Blur, noise, over- and under-exposure, mild and strong together: AUC of 0.95 each."""
    strengths = damage.KINDS[sense]
    harmed = [strengths[n % len(strengths)](photo) for n, photo in enumerate(photos)]
    assert auc(_felt(harmed, sense), _felt(photos, sense)) >= 0.95


def test_the_parts_follow_the_damage(photos: list[Pixels]) -> None:
    """The more a photo is spoilt, the lower its score, and the right part is blamed."""
    photo = photos[5]
    clean = score.judge(photo)
    harms: dict[str, tuple[damage.Damage, str]] = {
        "sharpness": (damage.soft(4), "blurred"),
        "noise": (damage.grainy(40), "noisy"),
        "exposure": (damage.scaled(0.2), "too dark"),
    }
    for part, (harm, word) in harms.items():
        spoilt = score.judge(np.ascontiguousarray(harm(photo)))
        assert spoilt.score < clean.score - 15
        assert (spoilt.parts[part] or 0) < 0.5 < (clean.parts[part] or 0)
        assert any(word in sentence for sentence in spoilt.why)


def test_a_good_photo_has_nothing_to_complain_about(photos: list[Pixels]) -> None:
    """Most good photos score above 60; what is not judged is null and does not count."""
    judged = [score.judge(photo) for photo in photos]
    assert np.median([one.score for one in judged]) > 60
    assert all(one.parts["faces"] is None for one in judged)
    assert all(one.parts["compression"] is None for one in judged)


def test_unsharp_faces_cost_and_far_ones_do_not_count() -> None:
    """A blurred large face is a reason; a crowd far away is none."""
    pixels = media.scene(640, 480)

    def face(side: float, sharpness: float) -> dict[str, Any]:
        return {"box": [0.1, 0.1, side, side], "sharpness": sharpness}

    blurred = score.judge(pixels, [face(0.4, 0.05)])
    sharp = score.judge(pixels, [face(0.4, 0.9), face(0.01, 0.0)])
    assert sharp.parts["faces"] == 1
    assert blurred.score < sharp.score
    assert "The faces in it are not sharp." in blurred.why


@pytest.mark.parametrize("quality", [15, 50, 75, 92, 100])
def test_jpeg_quality_is_read_from_its_tables(quality: int) -> None:
    """The quality that libjpeg was asked for comes back within one."""
    data = media.jpeg(media.scene(200, 100), quality=quality)
    assert compression.jpeg_quality(data) == pytest.approx(quality, abs=1)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xdb\x00\x03", media.saved(
    media.scene(), "PNG"), b"\xff\xd8\xff\xdb\x00\x43\x00" + b"\x01" * 20])  # fmt: skip
def test_what_has_no_tables_has_no_jpeg_quality(data: bytes) -> None:
    """A cut or other file is no error: its compression is simply not known."""
    assert compression.jpeg_quality(data) is None


def test_compression_shows_less_in_a_picture_shown_smaller() -> None:
    """Strong compression of a large picture is partly out of sight."""
    assert compression.undamaged(95, 1) == 1
    assert compression.undamaged(20, 1) < compression.undamaged(20, 3) < 1


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("dot.png", np.zeros((1, 1, 3), np.uint8)),
        ("line.png", np.full((1, 900, 3), 90, np.uint8)),
        ("grey.png", media.scene()[:, :, 1]),
        ("grey16.png", np.linspace(0, 65535, 4800).reshape(60, 80).astype(np.uint16)),
        ("alpha.png", np.dstack([media.scene(), media.scene()[:, :, 0]])),
        ("panorama.png", media.scene(4000, 40)),
        ("white.png", np.full((300, 400, 3), 255, np.uint8)),
    ],
)
def test_odd_pictures_have_a_quality(tmp_path: Path, name: str, pixels: Pixels) -> None:
    """No model is needed, no size or kind of pixels is refused, and the facts are as agreed."""
    path = tmp_path / name
    cv2.imwrite(str(path), pixels)
    outcome = visit(path, tmp_path / "work", "quality")["quality"]
    assert isinstance(outcome, Done)
    facts = json.loads(json.dumps(outcome.facts, allow_nan=False))
    assert 0 <= facts["score"] <= 100
    assert set(facts["parts"]) == set(score.WEIGHTS)
    assert all(part is None or 0 <= part <= 1 for part in facts["parts"].values())
    assert facts["why"]


def test_a_jpeg_is_blamed_for_its_compression(tmp_path: Path) -> None:
    """The stage reads the tables of the file itself."""
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg(media.scene(640, 480), quality=12))
    outcome = visit(path, tmp_path / "work", "quality")["quality"]
    assert isinstance(outcome, Done)
    assert any("JPEG quality 12" in sentence for sentence in outcome.facts["why"])
