"""The library by month, as a grid shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Actor
from pipeline.state import months as stored
from pipeline.state.months import Month, Tile

if TYPE_CHECKING:
    from pipeline.core import Core

__all__ = ["Month", "Tile", "listing", "tiles"]


async def listing(actor: Actor, core: Core) -> list[Month]:
    """Every month that has something to show, newest first, the undated last."""
    return await core.db.read(stored.months, actor.library_id)


async def tiles(
    actor: Actor, core: Core, month: str, limit: int, before: tuple[str, str] | None = None
) -> list[Tile]:
    """Up to `limit` pictures of a month (`YYYY-MM`, "" undated), newest first."""
    return await core.db.read(stored.tiles, actor.library_id, month, limit, before)
