"""Positions, and the city that is nearest."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metadata import cities
from pipeline.metadata.facts import PlaceEvidence, TakenFrom
from pipeline.metadata.places import decide, from_iso6709, why_impossible
from pipeline.state import places

_FEW = (
    ("Paris", "France", 48.85341, 2.3488, 8.2),
    ("Levallois-Perret", "France", 48.89389, 2.28864, 1.4),
    ("Savusavu", "Fiji", -16.778, 179.33, 0.3),
    ("Taveuni", "Fiji", -16.8, -179.9, 0.3),
)


@given(
    st.lists(st.builds(PlaceEvidence, st.sampled_from(list(TakenFrom)), st.floats(), st.floats()))
)
def test_only_possible_positions_are_chosen(evidence: list[PlaceEvidence]) -> None:
    """Latitude 213, not-a-number and 0, 0 never win; the order does not matter."""
    chosen = decide(evidence)
    assert chosen == decide(list(reversed(evidence)))
    if chosen is not None:
        assert math.isfinite(chosen.lat)
        assert why_impossible(chosen.lat, chosen.lon) is None


def test_what_the_camera_knew_beats_googles_guess() -> None:
    """Takeout's place counts only where the file has none."""
    camera = PlaceEvidence(TakenFrom.EXIF, 41.2, -96.0)
    guess = PlaceEvidence(TakenFrom.TAKEOUT, 48.8, 2.3)
    assert decide([guess, camera]) == camera
    assert decide([guess]) == guess


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+48.8125+002.4862/", (48.8125, 2.4862, None)),
        ("+48.8125+2.4862+000.000/", (48.8125, 2.4862, 0.0)),
        ("-33.8688+151.2093+035.500/", (-33.8688, 151.2093, 35.5)),
        ("+4848.75+00229.17/", (48.8125, 2.4861667, None)),
        ("+484845+0022910/", (48.8125, 2.4861111, None)),
        ("nowhere", None),
    ],
)
def test_iso_6709(text: str, expected: tuple[float, float, float | None] | None) -> None:
    """QuickTime's positions in degrees, in minutes and in seconds."""
    found = from_iso6709(text)
    assert found == (pytest.approx(expected, abs=1e-6) if expected else None)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A table of a few cities."""
    con = places.open_places(tmp_path / "places.sqlite", lambda: _FEW)
    yield con
    con.close()


def test_the_city_that_reaches_here(table: sqlite3.Connection) -> None:
    """The Eiffel Tower is in Paris although a suburb's centre is nearer."""
    tower = places.nearest(table, 48.85837, 2.2919)
    assert tower is not None
    assert tower.label == "Paris, France"
    town_hall = places.nearest(table, 48.894, 2.288)
    assert town_hall is not None
    assert town_hall.name == "Levallois-Perret"


def test_the_map_goes_round(table: sqlite3.Connection) -> None:
    """At 180 degrees the nearest city may lie on the other side of the map."""
    found = places.nearest(table, -16.8, 179.99)
    assert found is not None
    assert found.name == "Taveuni"


def test_nowhere_is_nowhere(table: sqlite3.Connection) -> None:
    """In the middle of the sea there is no city, nor at the poles."""
    assert places.nearest(table, 0.5, -30.0) is None
    assert places.nearest(table, 90.0, 0.0) is None


def test_built_once_and_again_after_a_broken_build(tmp_path: Path) -> None:
    """A build that fails leaves nothing behind that would be taken for a table."""
    path = tmp_path / "places.sqlite"

    def failing() -> Iterator[places.CityRow]:
        yield _FEW[0]
        raise OSError("the package cannot be read")

    with pytest.raises(OSError, match="package"):
        places.open_places(path, failing)
    places.open_places(path, lambda: _FEW).close()
    con = places.open_places(path, failing)  # not asked for its rows again
    assert con.execute("SELECT count(*) FROM cities").fetchone()[0] == len(_FEW)
    con.close()


def test_every_city_of_the_package_is_streamed() -> None:
    """The package's cities come one by one, with a country's name and a reach."""
    stream = cities.cities()
    first = [next(stream) for _ in range(5000)]
    assert len({(c.name, c.lat, c.lon) for c in first}) == 5000
    assert all(len(c.country) > 2 and -90 <= c.lat <= 90 and c.reach_km >= 0 for c in first)
    assert first[0].country == "Andorra"
