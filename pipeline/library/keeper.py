"""Which of several look-alikes to keep, and why, in words a person can check.

Reasons are weighed in this order: more pixels, what the camera wrote still there, the better
format, the better picture (sharper faces, exposure ...), less compression, not edited, longer in
the library.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.metadata.facts import TakenFrom
from pipeline.model import BundleRole
from pipeline.state.duplicates import Member
from pipeline.vision.quality import ranking

_RAW = frozenset({"dng", "cr2", "cr3", "crw", "nef", "arw", "raf", "rw2", "orf", "pef"})
_LOSSLESS = frozenset({"png", "tiff", "bmp", "psd"})
_FOR_THE_WEB = frozenset({"webp", "gif"})
_NO_CLOCK = frozenset({TakenFrom.NAME, TakenFrom.MTIME, TakenFrom.DOCUMENT})
_CLEARLY = 1.02  # smaller differences in pixels or bytes say nothing


@dataclass(frozen=True, slots=True)
class Keeper:
    """The proposal: which file, and the reasons that set it apart from the others."""

    file_id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Reason:
    worth: Callable[[Member], float]
    words: Callable[[Member, Member], str]  # the keeper, the best of the others in this respect


def propose(members: Sequence[Member]) -> Keeper:
    """The file to keep of at least one; equal ones are settled by the older id."""
    respects = (*_BY_FILE, _looks(members), *_BY_BYTES)
    worths = {m.file_id: tuple(respect.worth(m) for respect in respects) for m in members}
    keeper = max(members, key=lambda m: (*worths[m.file_id], _reversed(m.file_id)))
    others = [m for m in members if m is not keeper]
    return Keeper(keeper.file_id, tuple(_reasons(respects, keeper, others)))


def _reasons(respects: Sequence[_Reason], keeper: Member, others: Sequence[Member]) -> list[str]:
    """Each respect in which the keeper is clearly better than at least one of the others."""
    told = []
    for reason in respects:
        least = min(others, key=reason.worth, default=keeper)
        mine, theirs = reason.worth(keeper), reason.worth(least)
        if mine > theirs and (theirs <= 0 or mine / theirs >= _CLEARLY):
            told.append(reason.words(keeper, least))
    if not told and others and keeper.found_at < min(m.found_at for m in others):
        told.append("longer in the library")
    return told


def _pixels(member: Member) -> float:
    """Rounded, so that a row more or less does not outweigh the other reasons."""
    exact = (member.width or 0) * (member.height or 0)
    return float(f"{exact:.1e}")


def _as_taken(member: Member) -> float:
    return (member.camera is not None) + _has_clock(member) + member.has_place / 2


def _format(member: Member) -> float:
    name = member.format or ""
    return 1.0 + 2 * (name in _RAW) + (name in _LOSSLESS) - (name in _FOR_THE_WEB)


def _richness(member: Member) -> float:
    """Bytes a pixel; formats were compared before."""
    return member.size / max(1.0, _pixels(member))


def _unedited(member: Member) -> float:
    return float(member.bundle_role != BundleRole.EDIT)


def _more_pixels(keeper: Member, other: Member) -> str:
    return f"larger: {_sides(keeper)} pixels against {_sides(other)}"


def _sides(member: Member) -> str:
    return f"{member.width} x {member.height}" if member.width else "unknown"


def _still_has(keeper: Member, other: Member) -> str:
    noted = (
        ("camera", keeper.camera is not None and other.camera is None),
        ("date", _has_clock(keeper) and not _has_clock(other)),
        ("place", keeper.has_place and not other.has_place),
    )
    kept = [word for word, has in noted if has] or ["notes"]
    *first, last = kept
    return f"still has {', '.join(first)}{' and ' if first else ''}{last} as recorded"


def _has_clock(member: Member) -> bool:
    return member.taken_from is not None and member.taken_from not in _NO_CLOCK


def _looks(members: Sequence[Member]) -> _Reason:
    """Than how many of the others a picture is clearly better; nobody where one is not judged."""
    beaten = {
        mine.file_id: sum(ranking.better(mine.quality, its.quality) > 0 for its in members)
        for mine in members
    }
    if any(member.quality is None for member in members):
        beaten = dict.fromkeys(beaten, 0)
    return _Reason(lambda m: beaten[m.file_id], _better_looks)


def _better_looks(keeper: Member, other: Member) -> str:
    return ", ".join(ranking.reasons(keeper.quality, other.quality)) or "the better picture"


_BY_FILE = (
    _Reason(_pixels, _more_pixels),
    _Reason(_as_taken, _still_has),
    _Reason(_format, lambda k, o: f"better format: {k.format} against {o.format}"),
)
_BY_BYTES = (
    _Reason(_richness, lambda k, o: f"less compressed: {_kilobytes(k)} against {_kilobytes(o)}"),
    _Reason(_unedited, lambda _k, _o: "not edited"),
)


def _kilobytes(member: Member) -> str:
    return f"{member.size / 1000:,.0f} kB"


def _reversed(file_id: str) -> tuple[int, ...]:
    """Sorts the other way round: ids made earlier are preferred."""
    return tuple(-ord(letter) for letter in file_id)
