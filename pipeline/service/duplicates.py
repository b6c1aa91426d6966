"""Groups of equal and of alike files, and a person's decisions about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pipeline.clock import timestamp
from pipeline.errors import NotFound
from pipeline.library import duplicates
from pipeline.library.duplicates import Review
from pipeline.model import Actor
from pipeline.state import decisions
from pipeline.state import duplicates as stored
from pipeline.state.decisions import Decided

if TYPE_CHECKING:
    from pipeline.core import Core

Decision = Literal["same", "different"]


async def exact(actor: Actor, core: Core, limit: int = 50, after: str = "") -> list[Review]:
    """Files with equal bytes, kept once."""
    return await core.db.read(duplicates.exact, actor.library_id, after, limit)


async def alike(actor: Actor, core: Core, limit: int = 50, after: str = "") -> list[Review]:
    """Pictures that look alike and that nobody decided on yet, with a keeper proposed."""
    return await core.db.read(duplicates.similar, actor.library_id, after, limit)


async def series(actor: Actor, core: Core, limit: int = 50, after: str = "") -> list[Review]:
    """Bursts, each with its best frame proposed; nothing about them needs a decision."""
    return await core.db.read(duplicates.series, actor.library_id, after, limit)


async def decided(
    actor: Actor, core: Core, limit: int = 50, after: tuple[str, str] = ("", "")
) -> list[Decided]:
    """What people decided about pairs, behind the pair `after`."""
    return await core.db.read(decisions.listing, actor.library_id, after, limit)


async def decide(actor: Actor, core: Core, one: str, other: str, decision: Decision) -> None:
    """Remember what a person says of a pair; it is not asked about again. Raises `NotFound`."""
    at = timestamp(core.clock.now())
    is_known = await core.db.write(
        stored.decide, actor.library_id, one, other, decision, actor.label, at
    )
    if not is_known:
        raise NotFound("There are no two such files.", hint="darkroom dupes --similar lists ids.")
