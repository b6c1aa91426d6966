"""The guide's examples of finding are understood, and mean what they say there."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from pipeline.finding import language
from pipeline.finding.query import ALL
from tests.kit.searching import TODAY

_GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
_BLOCK = re.compile(r"^```find\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXAMPLES = [
    line.partition("  #")[0].strip()
    for block in _BLOCK.findall(_GUIDE.read_text(encoding="utf-8"))
    for line in block.splitlines()
    if line.strip()
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_is_understood(text: str) -> None:
    """Every query of the guide is one, and can be written back."""
    query = language.read(text, TODAY)
    assert query != ALL
    assert language.read(language.written(query), date(1999, 1, 1)) == query


def test_there_are_examples() -> None:
    """The check above looks at something."""
    assert len(EXAMPLES) > 15
