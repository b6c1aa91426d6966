"""The query language: what people type, what it means, and how mistakes are answered."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given

from pipeline.errors import DarkroomError, Invalid, TooLarge
from pipeline.finding.language import joined, read, written
from pipeline.finding.query import (
    ALL,
    AllOf,
    AnyOf,
    During,
    Field,
    InState,
    Mark,
    Marked,
    Near,
    Not,
    OfType,
    Rated,
    Term,
    Text,
)
from pipeline.model import Category, FileState
from tests.kit.queries import QUERIES, TYPED

TODAY = date(2024, 5, 17)
Y2023 = During("2023", "2023")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", ALL),
        ("anna beach 2023", AllOf((Text("anna"), Text("beach"), Y2023))),
        ("anna bea", AllOf((Text("anna"), Text("bea", None, True)))),
        ('anna "bea"', AllOf((Text("anna"), Text("bea")))),
        ("ann* beach", AllOf((Text("ann", None, True), Text("beach", None, True)))),
        ("person:anna", Text("anna", Field.PERSON)),
        ('camera:"iPhone 12"', Text("iPhone 12", Field.CAMERA)),
        ("-tag:meme 2023", AllOf((Not(Text("meme", Field.TAG)), Y2023))),
        ("rome OR paris 2023", AnyOf((Text("rome"), AllOf((Text("paris"), Y2023))))),
        ("(rome OR paris) 2023", AllOf((AnyOf((Text("rome"), Text("paris"))), Y2023))),
        ("- - , anna 2023", AllOf((Text("anna"), Y2023))),
        ("--anna 2023", AllOf((Text("anna"), Y2023))),
        ("type:videos", OfType(Category.VIDEO)),
        ("is:damaged is:duplicate", AllOf((Marked(Mark.DAMAGED), InState(FileState.DUPLICATE)))),
        ("rating:>=4 rating:<3 rating:none", AllOf((Rated(4, 5), Rated(1, 2), Rated(0, 0)))),
        ("near:48.85,2.35", Near(48.85, 2.35, 10.0)),
        ("in:Holidays/2023", Text("Holidays/2023", Field.IN)),
        ("before:2020 after:2019-05", AllOf((During(None, "2019"), During("2019-06", None)))),
        ("since:2019 until:2019-05", AllOf((During("2019", None), During(None, "2019-05")))),
        ("july 2023", During("2023-07", "2023-07")),
        ("14 July 2023", During("2023-07-14", "2023-07-14")),
        ("2021..2023", During("2021", "2023")),
        ("2021..", During("2021", None)),
        ("2023-07", During("2023-07", "2023-07")),
        ("last summer", During("2023-06", "2023-08")),
        ("last winter", During("2023-12", "2024-02")),
        ("last week", During("2024-05-06", "2024-05-12")),
        ("last year", During("2023", "2023")),
        ("last may", During("2023-05", "2023-05")),
        ("yesterday", During("2024-05-16", "2024-05-16")),
        ('date:"last summer"', During("2023-06", "2023-08")),
        ('"2023"', Text("2023")),
        ("IMG_1(2).jpg 2023", AllOf((Text("IMG_1(2).jpg"), Y2023))),
        ("12:30 2023", AllOf((Text("12:30"), Y2023))),
    ],
)
def test_what_people_type(text: str, meant: Term) -> None:
    """Words, dates, fields, quotes, minus and brackets mean what the guide says."""
    assert read(text, TODAY) == meant


@pytest.mark.parametrize(
    ("text", "at", "hint"),
    [
        ("anna persn:ben", 6, "Did you mean person:?"),
        ("xyzzy:ben", 1, '"xyzzy:ben"'),
        ('anna "beach', 6, "Add another quote."),
        ("anna OR", 8, "Add a word."),
        ("OR anna", 1, "in quotes"),
        ("(anna", 6, ")"),
        ("rating:many", 1, ">=4"),
        ("before:someday", 1, "2023-07"),
        ("date:2023-02-31", 1, "2023"),
        ("type:hologram", 1, "video"),
        ("is:happy", 1, "damaged"),
        ("near:north", 1, "latitude"),
        ("anna person: ben", 6, "person:word"),
        ("tag:%", 1, "Add a word."),
    ],
)
def test_a_mistake_is_answered_with_its_place(text: str, at: int, hint: str) -> None:
    """What cannot be understood says where, and what was likely meant."""
    with pytest.raises(Invalid) as refused:
        read(text, TODAY)
    assert f"(at character {at})" in refused.value.message
    assert hint in str(refused.value.hint)


def test_nothing_to_look_for_is_said() -> None:
    """Only punctuation finds nothing on purpose, not everything by accident."""
    with pytest.raises(Invalid, match="no letters"):
        read("%%", TODAY)


@pytest.mark.parametrize(
    "text", ["a " * 40, "x" * 3_000, "(" * 40 + "a" + ")" * 40, "-" * 99 + "a"]
)
def test_more_than_anybody_types_is_refused(text: str) -> None:
    """A search cannot be made expensive at will."""
    with pytest.raises(TooLarge):
        read(text, TODAY)


def test_what_the_shell_unquoted_is_quoted_again() -> None:
    """`camera:"iPhone 12" 2023` arrives without its quotes."""
    assert joined(["camera:iPhone 12", "2023"]) == 'camera:"iPhone 12" 2023'
    assert joined(["anna beach"]) == "anna beach"
    assert joined(["-tag:old meme", "a"]) == '-tag:"old meme" a'


@given(TYPED)
def test_any_text_is_read_or_refused_and_reads_back_the_same(text: str) -> None:
    """T74: no text crashes the reader; what it understood it can write so as to read the same."""
    try:
        query = read(text, TODAY)
    except DarkroomError as error:
        assert error.hint is None or isinstance(error.hint, str)
        return
    assert read(written(query), date(1990, 1, 1)) == query


@given(QUERIES)
def test_any_query_can_be_written(query: Term) -> None:
    """Every query, also one made by a program, has a text that means it on any day."""
    assert read(written(query), TODAY) == query
