"""Operations asked for by name: what was likely meant is said, and nothing odd gets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import Invalid
from pipeline.service.requests import Copy, Delete, Move, Rename, Retag, asked


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("move", {"target": "Album"}, Move("Album")),
        ("rename", {"template": "{name}"}, Rename("{name}")),
        ("copy", {"destination": "/media/stick"}, Copy(Path("/media/stick"))),
        ("delete", {}, Delete()),
        ("delete", {"reason": "blurred"}, Delete("blurred")),
        ("retag", {"add": ["b", "a"]}, Retag(add=("b", "a"))),
        ("retag", {"remove": "one tag"}, Retag(remove=("one tag",))),
    ],
)
def test_an_operation_is_asked_for_by_name(name: str, options: Any, expected: object) -> None:
    """Names and options as the guide lists them."""
    assert asked(name, options) == expected


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("mvoe", {}, "Did you mean 'move'?"),
        (
            "shred",
            {},
            "There are: move, copy, convert, rename, delete, retag, edit, shift, zone, album.",
        ),
        ("move", {}, "needs: target"),
        ("move", {"traget": "x"}, "Did you mean 'target'?"),
        ("move", {"target": 3}, "3 cannot be the target"),
        ("move", {"target": None}, "None cannot be the target"),
        ("retag", {"add": [1]}, "[1] cannot be the add"),
        ("copy", {"destination": b"x"}, "cannot be the destination"),
    ],
)
def test_what_makes_no_sense_is_said(name: str, options: Any, said: str) -> None:
    """The refusal names the mistake and what there is."""
    with pytest.raises(Invalid) as refused:
        asked(name, options)
    assert said in str(refused.value)


@pytest.mark.parametrize("word", ["", "  ", "a" * 101, "a\x00b", "a\x1b[31mb", "\ud800"])
def test_what_is_no_tag_is_refused(word: str) -> None:
    """Empty, endless and unprintable tags never get into the state."""
    with pytest.raises(Invalid):
        Retag(add=(word,)).wanted()


def test_tags_are_tidied() -> None:
    """White space is one space, composition does not count, twice is once."""
    wanted = Retag(add=(" Aunt\t Ada ", "Aunt Ada", "Cafe\u0301")).wanted()
    assert wanted.add == ("Aunt Ada", "Caf\u00e9")


def test_giving_and_taking_the_same_tag_is_refused() -> None:
    """Nobody can mean that; and no tag at all is no request."""
    with pytest.raises(Invalid):
        Retag(add=("a",), remove=("a",)).wanted()
    with pytest.raises(Invalid):
        Retag().wanted()
