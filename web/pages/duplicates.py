"""Pictures that look alike, side by side: why, the one to keep, what goes over to it; and what was
decided before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.access.rights import Right, allows
from pipeline.service import deduplicating, duplicates, merging
from pipeline.service.answers import Member, Review
from pipeline.service.deduplicating import Verdict
from pipeline.service.merging import Takeover
from web.contract import Asked
from web.shell import Page, day, size

SHOWN = 12
DECIDED = 60


async def _gather(asked: Asked) -> Mapping[str, Any]:
    kind, after = asked.request.args.get("kind", "alike"), asked.request.args.get("after", "")[:129]
    if kind == "decided":
        return {"kind": kind, **await _decided(asked, after)}
    ask = duplicates.series if kind == "series" else duplicates.alike
    found = await ask(asked.actor, asked.core, SHOWN, after)
    takes = {one.keep: _says(one) for one in await _takeovers(asked, found)}
    return {
        "kind": kind,
        "groups": [_shown(review, takes) for review in found],
        "following": found[-1].cursor if len(found) == SHOWN else None,
        "folders": sorted({_folder(one) for review in found for one in review.members} - {""}),
        "decided": (),
    }


async def _decided(asked: Asked, after: str) -> Mapping[str, Any]:
    first, _, second = after.partition(".")
    found = await duplicates.decided(asked.actor, asked.core, DECIDED, (first, second))
    following = f"{found[-1].file_id}.{found[-1].other_id}" if len(found) == DECIDED else None
    return {"groups": (), "decided": found, "following": following}


async def _takeovers(asked: Asked, found: Sequence[Review]) -> Sequence[Takeover]:
    """What the proposed keepers would take over, where the actor may do that."""
    if not allows(asked.actor, Right.FILES_TRASH):
        return ()
    verdicts = [Verdict(one.keeper.file_id, _others(one)) for one in found]
    return await deduplicating.takeovers(asked.actor, asked.core, verdicts)


def _others(review: Review) -> tuple[str, ...]:
    """Who can go: those that lie in the library and are not the proposed keeper."""
    kept = review.keeper.file_id
    return tuple(one.file_id for one in review.members if one.file_id != kept and one.path)


def _shown(review: Review, takes: Mapping[str, str]) -> Mapping[str, Any]:
    """The keeper first, then the others; how far each is from it where that is known."""
    kept = review.keeper.file_id
    members = sorted(review.members, key=lambda member: member.file_id != kept)
    far = {
        other: pair.distance
        for pair in review.pairs
        for one, other in ((pair.file_id, pair.other_id), (pair.other_id, pair.file_id))
        if one == kept
    }
    best = _facts(members[0])
    return {
        "members": [(one, _name(one), _against(best, _facts(one))) for one in members],
        "kept": kept,
        "pairs": [(pair.file_id, pair.other_id) for pair in review.pairs],
        "reasons": review.keeper.reasons,
        "alike": review.alike,
        "far": far,
        "takes": takes.get(kept, ""),
        "reclaimable": review.reclaimable,
    }


def _facts(member: Member) -> Mapping[str, str]:
    """What is known of a file, by the key of its label."""
    sides = f"{member.width} × {member.height}" if member.width else ""
    return {
        "pixels": sides,
        "size": size(member.size),
        "format": member.format or "",
        "taken": day(member.taken_at),
        "camera": member.camera or "",
        "folder": _folder(member),
    }


def _against(best: Mapping[str, str], facts: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """Label, value, and whether it differs from that of the proposed keeper."""
    return [(key, value, value != best[key]) for key, value in facts.items()]


def _name(member: Member) -> str:
    return (member.path or member.source).rpartition("/")[2]


def _folder(member: Member) -> str:
    return (member.path or "").rpartition("/")[0]


def _says(one: Takeover) -> str:
    """What goes over, in a line: `title “Lake”, tags beach and sea, albums Summer`."""
    parts = [f"{name} {_value(name, said)}" for name, said in one.fields.items()]
    parts += [f"tags {', '.join(one.tags)}"] if one.tags else []
    parts += [f"albums {', '.join(one.albums.values())}"] if one.albums else []
    return "; ".join(parts).replace("taken_at", "date")


def _value(name: str, said: Mapping[str, Any] | None) -> str:
    value = merging.told(name, dict(said or {}))
    return day(str(value)) if name == "taken_at" else f"“{value}”"


PAGE = Page(
    name="duplicates",
    path="/duplicates",
    right=Right.FILES_READ,
    gather=_gather,
    template="duplicates.html",
    order=4,
    icon="duplicates",
    scripts=("act.js", "duplicates.js"),
)
