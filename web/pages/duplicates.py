"""Pictures that look alike, side by side, with the one to keep and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import duplicates
from pipeline.service.answers import Review
from web.contract import Asked
from web.shell import Page

SHOWN = 12


async def _gather(asked: Asked) -> Mapping[str, Any]:
    kind = asked.request.args.get("kind", "alike")
    after = asked.request.args.get("after", "")[:64]
    ask = duplicates.series if kind == "series" else duplicates.alike
    found = await ask(asked.actor, asked.core, SHOWN, after)
    following = found[-1].cursor if len(found) == SHOWN else None
    groups = [_shown(review) for review in found]
    return {"groups": groups, "kind": kind, "following": following}


def _shown(review: Review) -> Mapping[str, Any]:
    """The keeper first, then the others; how far each is from it where that is known."""
    kept = review.keeper.file_id
    members = sorted(review.members, key=lambda member: member.file_id != kept)
    far = {
        other: pair.distance
        for pair in review.pairs
        for one, other in ((pair.file_id, pair.other_id), (pair.other_id, pair.file_id))
        if one == kept
    }
    others = [member.file_id for member in members if member.file_id != kept]
    return {
        "members": members,
        "kept": kept,
        "others": others,
        "reasons": review.keeper.reasons,
        "far": far,
        "reclaimable": review.reclaimable,
    }


PAGE = Page(
    name="duplicates",
    path="/duplicates",
    right=Right.FILES_READ,
    gather=_gather,
    template="duplicates.html",
    order=4,
    icon="duplicates",
    scripts=("act.js",),
)
