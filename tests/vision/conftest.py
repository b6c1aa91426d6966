"""Fixtures of the vision tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.corpus import corpus
from tests.kit.models import models
from tests.kit.registry import Registry, serving

__all__ = ["corpus", "models"]


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A package registry on loopback."""
    with serving() as found:
        yield found


@pytest.fixture
def environ(registry: Registry, tmp_path: Path) -> dict[str, str]:
    """The environment of a user whose pip and npm know only that registry."""
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    return kept | {
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_CACHE_DIR": str(tmp_path / "pip-cache"),
        "PIP_INDEX_URL": f"{registry.address}/simple/",
        "PIP_RETRIES": "0",
        "NPM_CONFIG_REGISTRY": registry.address,
    }
