"""Sensitive pictures: everyday photos are never called so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.model import Done
from pipeline.vision import sensitive
from tests.kit import media
from tests.kit.visits import visit


def test_everyday_photos_are_harmless(corpus: Path, models: Path) -> None:
    """No false alarm on labelled photos of everyday life."""
    from pipeline.codecs.decode import decode

    photos = sorted((corpus.parent / "eval" / "coco" / "images").glob("*.jpg"))[:16]
    assert photos
    for path in photos:
        pixels = decode(path.read_bytes(), "jpeg", 640).fit(640)
        assert not sensitive.judge(models, pixels).is_sensitive, path.name


@pytest.mark.parametrize("size", [(1, 1), (999, 1), (40, 300)])
def test_the_stage_on_odd_sizes(size: tuple[int, int], models: Path, tmp_path: Path) -> None:
    """Facts for every size: a score, what follows from it, and the model."""
    (tmp_path / "photo.png").write_bytes(media.saved(media.scene(*size), "PNG"))
    (tmp_path / "work").mkdir()
    outcome = visit(tmp_path / "photo.png", tmp_path / "work", "sensitive", models=models)
    done = outcome["sensitive"]
    assert isinstance(done, Done)
    assert 0 <= done.facts["score"] <= 1
    assert done.facts["is_sensitive"] is False
    assert "open-nsfw" in done.facts["model"]


def test_the_threshold() -> None:
    """It is said only when it is nearly sure."""
    assert sensitive.Judged(0.8, "m").is_sensitive
    assert not sensitive.Judged(0.79, "m").is_sensitive
