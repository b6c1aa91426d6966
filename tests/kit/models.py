"""The real model files, where `make test` put them: `DARKROOM_TEST_MODELS`, else `.venv/models`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.vision.models import manifest

_REPOSITORY = Path(__file__).resolve().parents[2]


def location() -> Path:
    """The folder where the model files should be."""
    named = os.environ.get("DARKROOM_TEST_MODELS")
    return Path(named) if named else _REPOSITORY / ".venv" / "models"


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder with every model file; skips the test, in CI fails it, where one is missing."""
    folder = location()
    missing = [m.purpose for m in manifest().values() if not (folder / m.file).is_file()]
    if missing:
        pytest.skip(f"the models are not fetched ({', '.join(missing)}): make models")
    return folder
