"""Places of the world: by name, and which one a position is in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import places
from web.contract import Asked, Given, Resource, Taken

RESOURCE = Resource("places", "Places of the world by name and position. GeoNames, CC BY 4.0.")


class SpotView(Given):
    """A city and where its middle is, in degrees."""

    name: str
    country: str
    lat: float
    lon: float


class Spots(Given):
    """Cities, the greatest first."""

    items: list[SpotView]


class Called(Taken):
    """The beginning of a name, in any language."""

    q: Annotated[str, Field(min_length=1, max_length=100)]
    limit: Annotated[int, Field(ge=1, le=50)] = 8


class Position(Taken):
    """A position in degrees."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class Nearest(Given):
    """The city that a position is in or near; null far away from all of them."""

    label: str | None


@RESOURCE.get("/places", right=Right.FILES_READ, gives=Spots, query=Called)
async def named(asked: Asked, query: Called) -> Spots:
    """Cities whose name begins so."""
    found = await places.named(asked.actor, asked.core, query.q, query.limit)
    return Spots(items=[SpotView.model_validate(one) for one in found])


@RESOURCE.get("/places/at", right=Right.FILES_READ, gives=Nearest, query=Position)
async def at(asked: Asked, query: Position) -> Nearest:
    """What the place at a position is called."""
    city = await places.at(asked.actor, asked.core, query.lat, query.lon)
    return Nearest(label=None if city is None else city.label)
