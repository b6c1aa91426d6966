"""Gives positions their names, "City, Country", before files are placed by them.

The table of places is opened when the first position comes, and built where there is none: a few
seconds, once per home. Without it files are placed all the same, only without a place name.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import structlog

from pipeline.clock import Clock, timestamp
from pipeline.state import places
from pipeline.state.connection import Database
from pipeline.state.places import City, Spot, Unnamed

TABLE = "places.sqlite"  # below the cache
_log = structlog.get_logger(__name__)


class Whereabouts:
    """Names places from the table at `path`; used by one task at a time."""

    def __init__(self, db: Database, clock: Clock, path: Path) -> None:
        self._db = db
        self._clock = clock
        self._path = path
        self._table: sqlite3.Connection | None = None
        self._is_broken = False

    async def name(self, file_ids: Sequence[str]) -> None:
        """Name the positions of these files and of what is bundled with them."""
        if self._is_broken:
            return
        found = await self._db.read(places.unnamed, file_ids)
        if not found:
            return
        try:
            cities = await asyncio.to_thread(self._cities, found)
        except (sqlite3.Error, OSError) as error:
            self._is_broken = True  # a cache; it is built again at the next start
            _log.warning("places cannot be named now", reason=str(error), table=str(self._path))
            return
        if cities:
            await self._db.write(places.name_all, cities, timestamp(self._clock.now()))

    def close(self) -> None:
        """Close the table."""
        if self._table is not None:
            self._table.close()

    def _cities(self, found: Sequence[Unnamed]) -> dict[str, City]:
        if self._table is None:
            self._table = _table(self._path)
        named = {one.file_id: _city(self._table, one.lat, one.lon) for one in found}
        return {file_id: city for file_id, city in named.items() if city is not None}


async def city_at(cache: Path, lat: float, lon: float) -> City | None:
    """The city at one position, for a person who is waiting; None also where none can be told."""
    try:
        return await asyncio.to_thread(_city_once, cache / TABLE, lat, lon)
    except (sqlite3.Error, OSError) as error:
        _log.warning("places cannot be named now", reason=str(error))
        return None


async def cities_named(cache: Path, text: str, limit: int) -> list[Spot]:
    """Cities whose name begins so, for a person who is waiting; none where the table is broken."""
    try:
        return await asyncio.to_thread(_named_once, cache / TABLE, text, limit)
    except (sqlite3.Error, OSError) as error:
        _log.warning("places cannot be looked up now", reason=str(error))
        return []


def _named_once(path: Path, text: str, limit: int) -> list[Spot]:
    with contextlib.closing(_table(path)) as table:
        return places.named(table, text, limit)


def _city_once(path: Path, lat: float, lon: float) -> City | None:
    with contextlib.closing(_table(path)) as table:
        return _city(table, lat, lon)


def _table(path: Path) -> sqlite3.Connection:
    from pipeline.metadata import cities

    return places.open_places(path, cities.cities)


def _city(table: sqlite3.Connection, lat: float, lon: float) -> City | None:
    from pipeline.metadata.places import zone_of

    zone = zone_of(lat, lon)
    return places.nearest(table, lat, lon, zone) if zone else None
