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
from pipeline.metadata.places import decide, from_iso6709, why_impossible, zone_of
from pipeline.state import places

_FEW = (
    ("Paris", "France", 48.85341, 2.3488, 8.2, "Europe/Paris", "Parigi"),
    ("Levallois-Perret", "France", 48.89389, 2.28864, 1.4, "Europe/Paris", ""),
    ("Savusavu", "Fiji", -16.778, 179.33, 0.3, "Pacific/Fiji", ""),
    ("Taveuni", "Fiji", -16.8, -179.9, 0.3, "Pacific/Fiji", ""),
    ("Konstanz", "Germany", 47.66033, 9.17582, 1.6, "Europe/Berlin", "Constance\nCostanza"),
    ("Kreuzlingen", "Switzerland", 47.65051, 9.17504, 0.8, "Europe/Zurich", ""),
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


def test_a_border_between_two_towns(table: sqlite3.Connection) -> None:
    """A step beyond the border is in the other country, however near the first town is."""
    for zone, name in (("Europe/Berlin", "Konstanz"), ("Europe/Zurich", "Kreuzlingen")):
        found = places.nearest(table, 47.6545, 9.1755, zone)
        assert found is not None
        assert found.name == name
    assert places.nearest(table, 47.6545, 9.1755, "Europe/Vienna") is not None


@pytest.mark.parametrize(
    ("lat", "lon", "zone"),
    [(55.5, 3.0, None), (40.0, -40.0, None), (48.8584, 2.2919, "Europe/Paris")],
)
def test_the_high_sea_has_no_zone(lat: float, lon: float, zone: str | None) -> None:
    """Far from every coast a photo was taken nowhere, however near the next city is on the map."""
    assert zone_of(lat, lon) == zone


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


WHERE = (
    ("the Eiffel Tower", 48.85837, 2.2919, "Paris, France"),
    ("Montmartre", 48.8867, 2.3431, "Paris, France"),
    ("the palace of Versailles", 48.8049, 2.1204, "Versailles, France"),
    ("the town hall of Levallois", 48.894, 2.288, "Levallois-Perret, France"),
    ("Times Square", 40.758, -73.9855, "New York City, United States"),
    ("Hoboken", 40.744, -74.0324, "Hoboken, United States"),
    ("Kreuzberg", 52.499, 13.403, "Berlin, Germany"),
    ("Zehlendorf", 52.434, 13.259, "Berlin, Germany"),
    ("Sanssouci", 52.404, 13.0386, "Potsdam, Germany"),
    ("Altona", 53.55, 9.935, "Hamburg, Germany"),
    ("the Colosseum", 41.8902, 12.4922, "Rome, Italy"),
    ("Saint Peter's", 41.9022, 12.4539, "Vatican City, Vatican"),
    ("the Sagrada Família", 41.4036, 2.1744, "Barcelona, Spain"),
    ("Copacabana", -22.9711, -43.1822, "Rio de Janeiro, Brazil"),
    ("Shinjuku", 35.6938, 139.7034, "Tokyo, Japan"),
    ("Schönbrunn", 48.1845, 16.3122, "Vienna, Austria"),
    ("Sydney's opera", -33.8568, 151.2153, "Sydney, Australia"),
    ("Basel's market", 47.5584, 7.5878, "Basel, Switzerland"),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The larger cities of the table that a home builds once; all of them take some seconds."""
    path = tmp_path_factory.mktemp("places") / "places.sqlite"
    con = places.open_places(path, lambda: cities.cities(15_000))
    yield con
    con.close()


def test_places_are_called_as_people_call_them(world: sqlite3.Connection) -> None:
    """The great city for its quarters, its own name for the town beside it, also near a border."""
    called = {
        what: city and city.label
        for what, lat, lon, _ in WHERE
        for city in [places.nearest(world, lat, lon, zone_of(lat, lon))]
    }
    assert called == {what: label for what, _, _, label in WHERE}


def test_a_city_is_known_by_its_other_names(world: sqlite3.Connection) -> None:
    """What Germans, Italians or its own people call a city comes with it."""
    rome = places.nearest(world, 41.8902, 12.4922)
    assert rome is not None
    assert {"Roma", "Rom"} <= set(rome.names.splitlines())
