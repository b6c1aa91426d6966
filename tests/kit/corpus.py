"""The corpus of real files: where it lies, its manifest, and what is true of each file.

`DARKROOM_CORPUS` names it, else it is looked for in `shared/corpus` beside the checkout. Tests that
need it are skipped, with the reason, where it is absent; nothing of it is ever copied here.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of `manifest.tsv`, with the columns tests ask for."""

    path: str  # below the corpus
    sha256: str
    size: int
    category: str
    type_by_content: str
    decodes: str
    is_corrupt: str
    group: str
    known_or_expected: str


@dataclass(frozen=True, slots=True)
class Truth:
    """One row of `truth.tsv`: what `source` says is true of the file at `path`."""

    path: str
    key: str
    value: str
    source: str


def location() -> Path | None:
    """The corpus folder, or None where it is absent."""
    named = os.environ.get("DARKROOM_CORPUS")
    path = (Path(named) if named else _REPOSITORY.parent / "shared" / "corpus").resolve()
    return path if (path / "manifest.tsv").is_file() else None


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The corpus folder; skips the test with the reason where it is absent."""
    path = location()
    if path is None:
        pytest.skip("the test corpus is absent: set DARKROOM_CORPUS to its folder")
    return path


def manifest(corpus: Path) -> tuple[Entry, ...]:
    """Every file of the corpus."""
    return tuple(
        Entry(
            path=row["path"],
            sha256=row["sha256"],
            size=int(row["bytes"]),
            category=row["category"],
            type_by_content=row["type_by_content"],
            decodes=row["decodes"],
            is_corrupt=row["is_corrupt"],
            group=row["group"],
            known_or_expected=row["known_or_expected"],
        )
        for row in _rows(corpus / "manifest.tsv")
    )


def truths(corpus: Path) -> tuple[Truth, ...]:
    """Everything that is known to be true of the corpus."""
    return tuple(
        Truth(row["path"], row["key"], row["value"], row["source"])
        for row in _rows(corpus / "truth.tsv")
    )


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
