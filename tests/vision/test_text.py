"""Reading text: real models on lines written here, with the spaces where the gaps are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.model import Done, Skip
from pipeline.vision.text import letters, reading
from tests.kit import media
from tests.kit.visits import visit

LINES = (
    "Happy birthday to Grandma Rose",
    "The quick brown fox jumps over the lazy dog",
    "Invoice No. 4711 - 12 March 2023",
    "Total: 1,234.56 EUR",
    "Meet me at 5 pm, bring a cake!",
)


def page(
    lines: tuple[str, ...] = LINES, ink: str = "#141428", paper: str = "#fafaf5", turn: float = 0
) -> NDArray[np.uint8]:
    """Lines of text of growing size on paper, turned by so many degrees."""
    image = Image.new("RGB", (1200, 100 + 110 * len(lines)), paper)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        font = ImageFont.load_default(size=22 + 9 * number)
        draw.text((60, 60 + 110 * number), line, fill=ink, font=font)
    return np.asarray(image.rotate(turn, fillcolor=paper))


def read(models: Path, pixels: NDArray[np.uint8]) -> list[str]:
    """The lines as read."""
    return [line.text for line in reading.read(models, pixels).lines]


def test_lines_with_their_spaces(models: Path) -> None:
    """Every letter and every space, from small print to headlines, in reading order."""
    assert read(models, page()) == list(LINES)


@pytest.mark.parametrize(
    ("ink", "paper"), [("white", "#28405a"), ("#806040", "#d8c8a0"), ("yellow", "black")]
)
def test_colours(ink: str, paper: str, models: Path) -> None:
    """Light on dark and faint on brown are read as well."""
    assert read(models, page(ink=ink, paper=paper)) == list(LINES)


def test_a_slanting_page(models: Path) -> None:
    """A page that was photographed at an angle; capitals may be taken for small letters."""
    told = [line.lower() for line in read(models, page(turn=5))]
    assert told == [line.lower() for line in LINES]


def test_no_text(models: Path) -> None:
    """A picture without text tells none."""
    assert read(models, media.scene(320, 240)) == []


def test_gaps_part_words_but_not_signs() -> None:
    """A gap is a space between letters, not between signs that are written without."""
    positions = np.array([10.0, 20.0, 40.0, 50.0])
    assert letters._spaced(list("abcd"), positions, [(30.0, 0.3)]) == "ab cd"
    assert letters._spaced(list("写真日本"), positions, [(30.0, 0.3)]) == "写真日本"
    assert letters._spaced(list("1112"), positions, [(30.0, 0.3)]) == "1112"
    assert letters._spaced(list("1112"), positions, [(30.0, 0.5)]) == "11 12"


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3), (33, 47)])
def test_odd_sizes(size: tuple[int, int], models: Path) -> None:
    """No size breaks reading."""
    assert read(models, np.full((*size, 3), 200, np.uint8)) == []


def test_the_stage(models: Path, tmp_path: Path) -> None:
    """Facts: the text as one, its lines with boxes, and who read it."""
    (tmp_path / "note.png").write_bytes(media.saved(page(LINES[:2]), "PNG"))
    (tmp_path / "work").mkdir()
    outcome = visit(tmp_path / "note.png", tmp_path / "work", "text", models=models)["text"]
    assert isinstance(outcome, Done)
    assert outcome.facts["text"] == "\n".join(LINES[:2])
    left, top, width, height = outcome.facts["lines"][0]["box"]
    assert 0.03 < left < 0.06 < width < 0.5
    assert 0 < top < top + height < 0.5
    assert "pp-ocr" in outcome.facts["model"]


def test_without_the_model(tmp_path: Path) -> None:
    """Skipped, not for good."""
    (tmp_path / "note.jpg").write_bytes(media.jpeg())
    (tmp_path / "work").mkdir()
    outcomes = visit(tmp_path / "note.jpg", tmp_path / "work", "text", "sensitive", models=tmp_path)
    for outcome in outcomes.values():
        assert isinstance(outcome, Skip)
        assert not outcome.is_final
        assert "darkroom models fetch" in outcome.why
