"""The manifest of model files: complete, open about licences, read without heavy libraries."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import Vision
from pipeline.vision import convert
from pipeline.vision.models import Model, manifest

ALL = tuple(manifest().values())
SHA256 = re.compile(r"[0-9a-f]{64}")


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.purpose)
def test_every_model_is_pinned(model: Model) -> None:
    """File, archive and members are known by their hashes, and the size is announced."""
    source = model.source
    hashes = [model.sha256, source.sha256, *(member.sha256 for member in source.members)]
    assert all(SHA256.fullmatch(value) for value in hashes)
    assert source.members
    assert 0 < source.size < 200_000_000
    assert source.registry == "npm" or source.archive.endswith("-none-any.whl")
    assert not re.search(r"\d\d+\.\d+\.\d+\.\d+|://", source.url)


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.purpose)
def test_every_model_is_explained(model: Model) -> None:
    """Whoever reads the list learns what a file is, takes, gives, and may be used for."""
    assert all((model.version, model.licence, model.input, model.output))
    assert "AGPL" not in model.licence
    assert isinstance(getattr(Vision(), model.stage), bool)
    assert model.needs in {"", *manifest()}
    assert Path(model.file).name == model.file


def test_file_names_are_distinct() -> None:
    """Two models never share a file."""
    assert len({model.file for model in ALL}) == len(ALL)


def test_conversions_exist() -> None:
    """Every conversion named is a module with `convert`."""
    folder = Path(convert.__file__).parent
    for model in ALL:
        if model.convert:
            assert "def convert(" in (folder / f"{model.convert}.py").read_text(encoding="utf-8")


def test_the_manifest_is_cheap() -> None:
    """Workers and the command line read it without pydantic, numpy or a runtime."""
    code = (
        "import sys; from pipeline.vision.models import manifest; manifest();"
        "print([m for m in ('pydantic', 'numpy', 'cv2', 'onnxruntime') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
