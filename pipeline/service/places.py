"""Places of the world by name and by position, for who says where a picture was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.access.rights import Right, require
from pipeline.model import Actor
from pipeline.state.places import City, Spot
from pipeline.work import where

if TYPE_CHECKING:
    from pipeline.core import Core

__all__ = ["City", "Spot", "at", "named"]


async def named(actor: Actor, core: Core, text: str, limit: int) -> list[Spot]:
    """Cities whose name, or what others call them, begins with `text`; the greatest first."""
    require(actor, Right.FILES_READ)
    return await where.cities_named(core.home.cache, text.strip(), limit) if text.strip() else []


async def at(actor: Actor, core: Core, lat: float, lon: float) -> City | None:
    """The city that a position is in or near; None far away from all of them."""
    require(actor, Right.FILES_READ)
    return await where.city_at(core.home.cache, lat, lon)
