"""What a person wants out of a file, and the grid that positions are rounded to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.errors import Invalid

Location = Literal["keep", "all", "round", "zones"]

EARTH_KM = 6371.0088  # mean radius, IUGG
KM_PER_DEGREE = math.pi * EARTH_KM / 180
_LEAST_KM, _MOST_KM = 0.1, 1000.0


@dataclass(frozen=True, slots=True)
class Zone:
    """A place whose surroundings nobody else should know."""

    lat: float
    lon: float
    radius_m: float

    def holds(self, lat: float, lon: float) -> bool:
        """True for a position inside."""
        return distance_km(self.lat, self.lon, lat, lon) * 1000 <= self.radius_m


@dataclass(frozen=True, slots=True)
class Wishes:
    """`location`: keep it, remove all, round to `round_km`, or remove it inside `zones` only.
    `owner`: names of owners, serial numbers, unique ids. `artist`: names of authors as well.
    `places` are positions known of the file besides those it tells itself.
    """

    location: Location = "all"
    round_km: float = 1.0
    zones: tuple[Zone, ...] = ()
    owner: bool = False
    artist: bool = False
    places: tuple[tuple[float, float], ...] = ()

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Wishes:
        """From a job's JSON. Raises `Invalid` with a sentence for what makes no sense."""
        location = params.get("location", "all")
        if location not in ("keep", "all", "round", "zones"):
            raise Invalid(f"There is no way “{location}” to scrub a location.")
        km = _number(params.get("round_km", 1.0), "round_km", _LEAST_KM, _MOST_KM)
        zones = tuple(_zone(zone) for zone in params.get("zones", ()))
        if location == "zones" and not zones:
            raise Invalid("No home zone is given, so nothing would be scrubbed.")
        owner = bool(params.get("owner", False))
        places = tuple(_position(place) for place in params.get("places", ()))
        return cls(location, km, zones, owner, bool(params.get("artist", owner)), places)


@dataclass(frozen=True, slots=True)
class Orders:
    """The wishes once the file's own position is known: what is to go, whatever it is called."""

    location: bool
    owner: bool
    artist: bool
    grid_km: float | None = None  # positions are rounded to it instead of going

    @property
    def is_idle(self) -> bool:
        """True where nothing is to be done."""
        return not (self.location or self.owner or self.artist)


def orders(wishes: Wishes, places: Sequence[tuple[float, float]]) -> Orders:
    """What `wishes` mean for a file that tells these positions."""
    location = wishes.location in ("all", "round")
    if wishes.location == "zones":
        known = (*wishes.places, *places)
        location = any(zone.holds(*place) for zone in wishes.zones for place in known)
    grid = wishes.round_km if wishes.location == "round" else None
    return Orders(location, wishes.owner, wishes.artist, grid)


def rounded(lat: float, lon: float, km: float) -> tuple[float, float]:
    """The nearest point of a grid of squares with sides of `km`: at most 0.71 km x `km` away.

    Rows divide the meridian and columns the parallel evenly, so that rounding again changes
    nothing, at the poles and at 180 degrees as well.
    """
    rows = max(2, math.ceil(180 * KM_PER_DEGREE / km))
    step = 180 / rows
    row = round((min(max(lat, -90.0), 90.0) + 90) / step)
    near_lat = -90 + row * step
    widest = max(0.0, abs(near_lat) - step / 2)  # the side of the row that is nearer the equator
    around = 360 * KM_PER_DEGREE * math.cos(math.radians(widest))
    columns = max(1, math.ceil(around / km))
    near_lon = round((lon + 180) / (360 / columns)) % columns * (360 / columns) - 180
    is_pole = abs(near_lat) > 90 - step / 4
    return near_lat, 0.0 if is_pole else near_lon


def distance_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Along the surface of a sphere (haversine)."""
    one, two = math.radians(lat), math.radians(other_lat)
    across = math.sin(math.radians(other_lon - lon) / 2) ** 2
    half = math.sin((two - one) / 2) ** 2 + math.cos(one) * math.cos(two) * across
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def _zone(value: Any) -> Zone:
    if not isinstance(value, Mapping):
        raise Invalid("A home zone needs lat, lon and radius_m.")
    lat = _number(value.get("lat"), "lat", -90, 90)
    lon = _number(value.get("lon"), "lon", -180, 180)
    return Zone(lat, lon, _number(value.get("radius_m"), "radius_m", 1, 1_000_000))


def _position(value: Any) -> tuple[float, float]:
    if not isinstance(value, Sequence) or len(value) != 2:
        raise Invalid("A place needs a latitude and a longitude.")
    return _number(value[0], "lat", -90, 90), _number(value[1], "lon", -180, 180)


def _number(value: Any, name: str, least: float, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        raise Invalid(f"{name} must be a number from {least:g} to {most:g}.")
    return float(value)
