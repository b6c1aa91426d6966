"""All that is seen in a picture is seen in one decode of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.codecs import decode
from pipeline.model import Done
from tests.kit import media, visits


@pytest.mark.parametrize("kind", ["jpeg", "heic", "png"])
def test_a_visit_decodes_its_picture_once(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Previews, look-alikes, faces, things, scene, quality and kind share one decode."""
    pixels = media.scene(1600, 1200)
    data = media.heic(pixels) if kind == "heic" else media.saved(pixels, kind)
    (tmp_path / f"photo.{kind}").write_bytes(data)
    asked: list[int | None] = []
    real = decode.decode

    def counted(content: object, name: str, at_least: int | None = None) -> object:
        asked.append(at_least)
        return real(content, name, at_least)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(decode, "decode", counted)
    outcomes = visits.visit(tmp_path / f"photo.{kind}", tmp_path / "work", models=models)
    seen = {name for name, outcome in outcomes.items() if isinstance(outcome, Done)}
    assert {"preview", "similar", "faces", "objects", "features", "scene"} <= seen
    assert len(asked) == 1, asked
