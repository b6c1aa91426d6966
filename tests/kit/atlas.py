"""The table of places, built once for a whole run of the tests: it takes seconds of every home."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.metadata import cities
from pipeline.state import places
from pipeline.work.where import TABLE
from tests.kit.shared import made_once


def lend_places(factory: pytest.TempPathFactory, home: Path) -> None:
    """Let a home that is still to be made have the table in its cache, as if it had built it."""
    table = made_once(factory, "atlas", _built)
    (home / "cache").mkdir(parents=True)
    (home / "cache" / TABLE).hardlink_to(table)


def _built(folder: Path) -> Path:
    places.open_places(folder / TABLE, cities.cities).close()
    return folder / TABLE
