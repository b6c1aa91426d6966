"""The facts of a bundle: what its members know together. Pure; runs in the core.

Sidecars speak about the primary, so all their evidence joins. Other members (the RAW, the video of
a Live Photo, an edit) only fill what the primary does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pipeline.metadata.facts import DateEvidence, Facts, PlaceEvidence, TakenFrom
from pipeline.model import BundleRole

_T = TypeVar("_T")

_OWN = frozenset({TakenFrom.NAME, TakenFrom.MTIME})  # these speak about the carrier, not the shot
_WORDS = ("title", "description", "rating")  # a sidecar's word counts more than the file's
_GAPS = ("make", "model", "lens", "content_id", "orientation")


def merge(members: Sequence[tuple[BundleRole, Facts]]) -> Facts:
    """The primary's facts joined by the others'. Without a primary, the first member stands in."""
    if not members:
        return Facts()
    chosen = next((n for n, (role, _) in enumerate(members) if role is BundleRole.PRIMARY), 0)
    facts = members[chosen][1]
    others = [member for n, member in enumerate(members) if n != chosen]
    for role, other in others:
        if role is BundleRole.SIDECAR:
            facts = _joined(facts, other)
    for role, other in others:
        if role is not BundleRole.SIDECAR:
            facts = _filled(facts, other)
    return facts


def _joined(facts: Facts, sidecar: Facts) -> Facts:
    """Evidence adds up; words of the sidecar win; lists unite."""
    words: dict[str, Any] = {n: v for n in _WORDS if (v := getattr(sidecar, n)) is not None}
    gaps: dict[str, Any] = {n: getattr(sidecar, n) for n in _GAPS if getattr(facts, n) is None}
    return replace(
        facts,
        dates=_united(facts.dates, _about_the_shot(sidecar.dates)),
        places=_united(facts.places, sidecar.places),
        keywords=_united(facts.keywords, sidecar.keywords),
        people=_united(facts.people, sidecar.people),
        regions=sidecar.regions or facts.regions,
        notes=_united(facts.notes, sidecar.notes),
        extra={**_shared(sidecar), **facts.extra},
        **words,
        **gaps,
    )


def _filled(facts: Facts, other: Facts) -> Facts:
    """Only where the primary knows nothing of the kind does another member speak for it."""
    dates: tuple[DateEvidence, ...] = facts.dates
    places: tuple[PlaceEvidence, ...] = facts.places
    if not _about_the_shot(dates):
        dates = _united(dates, _about_the_shot(other.dates))
    if not places:
        places = other.places
    gaps: dict[str, Any] = {
        n: getattr(other, n) for n in ("make", "model", "lens") if getattr(facts, n) is None
    }
    return replace(facts, dates=dates, places=places, **gaps)


def _about_the_shot(dates: Sequence[DateEvidence]) -> tuple[DateEvidence, ...]:
    return tuple(d for d in dates if d.source not in _OWN)


def _shared(sidecar: Facts) -> dict[str, object]:
    """What a sidecar says beside the fields, without what only describes the sidecar itself."""
    return {k: v for k, v in sidecar.extra.items() if not k.startswith("sidecar_")}


def _united(first: Sequence[_T], second: Sequence[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys((*first, *second)))
