"""Which city is nearest: a table of places in a file of its own in the cache.

It may be deleted at any time and is built again, in one transaction, when it is missing or older
than `VERSION`. Every city is a box of its own reach in an R-tree, so that a suburb's photo is the
great city's only where the great city really reaches. Attribution stands with the rows' source.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.finding.words import folded

VERSION = 2
# Name, country, latitude, longitude, reach in km, time zone, other names one a line.
CityRow = tuple[str, str, float, float, float, str, str]

_KM_PER_DEGREE = 111.32
_SEARCHED_KM = (5.0, 25.0, 100.0)  # further from everything is nowhere


@dataclass(frozen=True, slots=True)
class City:
    """The city that a position is in or near."""

    name: str
    country: str
    distance_km: float
    names: str = ""  # what others call it, one a line

    @property
    def label(self) -> str:
        """ "City, Country", as it is shown and stored."""
        return f"{self.name}, {self.country}"


def open_places(path: Path, rows: Callable[[], Iterable[CityRow]]) -> sqlite3.Connection:
    """The table of places, built from `rows` if it is not there yet (a few seconds, once).

    The connection may be used from any one thread at a time.
    """
    con = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    con.row_factory = sqlite3.Row
    try:
        if con.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            _build(con, rows())
    except BaseException:
        con.close()
        raise
    return con


def nearest(
    con: sqlite3.Connection, lat: float, lon: float, zone: str | None = None
) -> City | None:
    """The city at a position, or None more than 100 km away from all of them.

    With the position's time zone, cities of that zone come first: they are mostly those of the same
    country, also where the next city lies beyond the border.
    """
    for radius_km in _SEARCHED_KM:
        found = zone and _within(con, lat, lon, radius_km, zone)
        found = found or _within(con, lat, lon, radius_km)
        # A city outside of the box is more than `radius_km` away from its edge.
        if found is not None and found[0] <= radius_km:
            return found[1]
    return None


@dataclass(frozen=True, slots=True)
class Spot:
    """A city and where its middle is."""

    name: str
    country: str
    lat: float
    lon: float


def named(con: sqlite3.Connection, text: str, limit: int) -> list[Spot]:
    """Cities whose name, or what others call them, begins with `text`; the greatest first."""
    start = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = con.execute(
        "SELECT name, country, lat, lon, max(reach) AS reach FROM cities"
        " WHERE name LIKE ?1 ESCAPE '\\' OR char(10) || names LIKE ?2 ESCAPE '\\'"
        " GROUP BY name, country ORDER BY reach DESC LIMIT ?3",
        (f"{start}%", f"%\n{start}%", limit),
    )
    return [Spot(row["name"], row["country"], row["lat"], row["lon"]) for row in rows]


def _within(
    con: sqlite3.Connection, lat: float, lon: float, radius_km: float, zone: str | None = None
) -> tuple[float, City] | None:
    """The best city among those that touch the box, with its score."""
    high = radius_km / _KM_PER_DEGREE
    shrink = max(math.cos(math.radians(lat)), 0.01)
    wide = high / shrink
    best: tuple[float, City] | None = None
    for turn in _turns(lon, wide):
        here = lon + turn
        touching = con.execute(
            "SELECT name, country, lat, lon, reach, names FROM cities"
            " WHERE south <= ? AND north >= ? AND west <= ? AND east >= ?"
            " AND (?5 IS NULL OR zone = ?5)",
            (lat + high, lat - high, here + wide, here - wide, zone),
        )
        for name, country, city_lat, city_lon, reach, names in touching:
            away = _KM_PER_DEGREE * math.hypot(city_lat - lat, (city_lon - here) * shrink)
            score = _score(away, reach)
            if best is None or (score, name) < (best[0], best[1].name):
                best = (score, City(name, country, round(away, 1), names))
    return best


def _score(away_km: float, reach_km: float) -> float:
    """Outside of a city: the way to its edge. Inside, from -1 in the centre to 0 at the edge.

    So a suburb keeps its own middle inside a great city's reach, and a village its surroundings.
    """
    return away_km / reach_km - 1 if away_km < reach_km else away_km - reach_km


def _turns(lon: float, wide: float) -> tuple[float, ...]:
    """Beyond 180 degrees the map goes on at the other side."""
    if lon + wide > 180:
        return (0.0, -360.0)
    return (0.0, 360.0) if lon - wide < -180 else (0.0,)


def _build(con: sqlite3.Connection, rows: Iterable[CityRow]) -> None:
    """All or nothing; nothing of it is precious, so the disk need not be waited for."""
    con.execute("PRAGMA synchronous = OFF")
    con.execute("BEGIN IMMEDIATE")
    try:
        con.execute("DROP TABLE IF EXISTS cities")
        con.execute(
            "CREATE VIRTUAL TABLE cities USING rtree"
            " (id, south, north, west, east, +name, +country, +lat, +lon, +reach, +zone,"
            "  +names)"
        )
        con.executemany(
            "INSERT INTO cities VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_box, rows)
        )
        con.execute(f"PRAGMA user_version = {VERSION}")
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise


def _box(row: CityRow) -> tuple[object, ...]:
    _, _, lat, lon, reach, *_ = row
    high = reach / _KM_PER_DEGREE
    wide = high / max(math.cos(math.radians(lat)), 0.01)
    return lat - high, lat + high, lon - wide, lon + wide, *row


# --- in the state ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A file with a position and no name for it yet."""

    file_id: str
    lat: float
    lon: float


def unnamed(con: sqlite3.Connection, file_ids: Sequence[str]) -> list[Unnamed]:
    """Those of the files, and of what is bundled with them, whose position has no name yet."""
    rows = con.execute(
        "SELECT id, lat, lon FROM media_files WHERE lat IS NOT NULL AND lon IS NOT NULL"
        " AND place IS NULL AND (id IN (SELECT value FROM json_each(:ids)) OR bundle_id IN"
        "  (SELECT bundle_id FROM media_files WHERE id IN (SELECT value FROM json_each(:ids))))",
        {"ids": json.dumps(list(file_ids))},
    )
    return [Unnamed(row["id"], row["lat"], row["lon"]) for row in rows]


def name_all(con: sqlite3.Connection, found: Mapping[str, City], at: str) -> None:
    """Remember "City, Country" by file id, and what else that place is called."""
    know(con, found.values())
    con.executemany(
        "UPDATE media_files SET place = ?, updated_at = ? WHERE id = ?",
        [(city.label, at, file_id) for file_id, city in found.items()],
    )


def know(con: sqlite3.Connection, cities: Iterable[City]) -> None:
    """Remember what else these places are called, so that they are found by it."""
    known = {city.label: city.names for city in cities}
    con.executemany(
        "INSERT INTO place_names (place, names) VALUES (?, ?)"
        " ON CONFLICT (place) DO UPDATE SET names = excluded.names",
        [(label, _distinct(names)) for label, names in known.items()],
    )


def _distinct(names: str) -> str:
    """Names that differ in more than case and accents, as they are looked for."""
    return "\n".join(sorted({folded(name) for name in names.splitlines()}))
