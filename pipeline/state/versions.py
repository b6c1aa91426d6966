"""Versions of what people edit: nobody overwrites a change that they have not seen."""

from __future__ import annotations

from pipeline.errors import Stale


def require(now: int | str, seen: int | str | None) -> None:
    """Raises `Stale` where somebody changed the thing since it was `seen`; None: never mind."""
    if seen is not None and seen != now:
        raise Stale(
            "Somebody changed this meanwhile; nothing was overwritten.",
            hint="Look at it again, then repeat your change.",
        )
