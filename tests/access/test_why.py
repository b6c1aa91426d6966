"""Why somebody sees something, as sentences."""

from __future__ import annotations

import sqlite3

import pytest

from pipeline.access import why
from pipeline.access.reach import widest
from pipeline.state import ways
from tests.kit.sharing import TEAM, add_album, lend

NAMES = {"anna": "Anna", "ben": "Ben", "clara": "Clara"}


def _why(con: sqlite3.Connection, user: str, file: str = "anna-1") -> str:
    found = widest(ways.to_file(con, user, file))
    assert found is not None
    return why.sentence(NAMES[user], "file", found.way, NAMES)


@pytest.mark.parametrize(
    ("kind", "thing", "to", "told"),
    [
        ("library", "anna", "ben", "Ben sees this file because they may look at the library of"
                                   " Anna."),
        ("file", "anna-1", "ben", "Ben sees this file because they may look at it."),
        ("album", "summer", "ben", "Ben sees this file because they may look at the album"
                                   " “Summer”, and it is in that."),
        ("album", "summer", TEAM, "Clara sees this file because they are in the team"
                                  " “Grandparents”, which may look at the album “Summer”, and it is"
                                  " in that."),
        ("file", "anna-1", TEAM, "Clara sees this file because they are in the team"
                                 " “Grandparents”, which may look at it."),
    ],
)  # fmt: skip
def test_every_way_has_its_sentence(
    con: sqlite3.Connection, kind: str, thing: str, to: str, told: str
) -> None:
    """The chain from the person to the picture can be read aloud."""
    add_album(con, "summer", "anna", "anna-1")
    lend(con, kind, thing, to)
    assert _why(con, "clara" if to == TEAM else "ben") == told


def test_ones_own_and_what_others_put_into_ones_album(con: sqlite3.Connection) -> None:
    """Owners learn why as well."""
    add_album(con, "summer", "ben", "anna-1")
    assert _why(con, "anna") == "Anna sees this file because it is theirs."
    told = "Ben sees this file because the album “Summer” is theirs, and it is in that."
    assert _why(con, "ben") == told
    lend(con, "library", "ben", "clara")
    told = (
        "Clara sees this file because they may look at the library of Ben, to which the album"
        " “Summer” belongs, and it is in that."
    )
    assert _why(con, "clara") == told
    (way,) = ways.to_album(con, "clara", "summer")
    told = "Clara sees this album because they may look at the library of Ben, to which it belongs."
    assert why.sentence("Clara", "album", way, NAMES) == told
