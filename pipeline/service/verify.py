"""Re-reading the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.intake.stock import Limits
from pipeline.library import verify
from pipeline.library.verify import Scrubbed
from pipeline.model import Actor

if TYPE_CHECKING:
    from pipeline.core import Core


async def run(actor: Actor, core: Core, share: float = 1.0) -> Scrubbed:
    """Take stock of the library and re-read a share of it; nothing is touched."""
    return await verify.scrub(
        core.db, core.clock, core.home, share=share, limits=missing_limits(core)
    )


def missing_limits(core: Core) -> Limits:
    """How much may be missing before a person is asked."""
    intake = core.settings.intake
    return Limits(count=intake.missing_limit, share=intake.missing_share)
