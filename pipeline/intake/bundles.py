"""Which files belong together: Live Photos, RAW + JPEG, motion photos, edits, sidecars.

`group` is pure, deterministic and does not care about order: the same members and knowledge give
the same bundles. Intake calls it with names alone; `confirm` calls it again with what visits read,
which may split what names proposed and join what names hid. Rules: `pairing.py`, `takeout.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pipeline.intake import takeout
from pipeline.intake.edits import original_stem
from pipeline.intake.pairing import (
    BUNDLED_EXTENSIONS,
    Member,
    folded,
    is_edit_of,
    is_live_video,
    is_raw_of,
    is_sidecar_of,
    split_name,
)
from pipeline.model import BundleRole, Category

__all__ = ["Bundle", "Member", "bucket", "group", "why_lone"]

_BUCKET = 32  # characters; shorter than any of Takeout's cuts
_DOUBLE = re.compile(r" ?(\(\d+\))(?=$|\.[^(]*$)")
_SUPPLEMENT = ".supplemental-metadata"  # of Takeout, cut anywhere
_Rule = Callable[[Member, Member], bool]
_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class Bundle:
    """Two or more members; the primary comes first, the others by key."""

    roles: tuple[tuple[str, BundleRole], ...]  # (key, role)
    content_id: str | None = None

    @property
    def primary(self) -> str:
        """The key of the member a person looks at."""
        return self.roles[0][0]


def bucket(name: str) -> str:
    """A coarse key: files that may belong together by name always share it. Never a verdict."""
    stem = folded(name)
    number = _DOUBLE.search(stem)
    while (shorter := _shorter(stem)) not in (stem, ""):
        stem = shorter
    key = stem[:_BUCKET] + (number[1] if number else "")
    return key.encode("utf-8", "backslashreplace").decode()  # the state holds valid text only


def _shorter(stem: str) -> str:
    """`stem` without one extension, number of a double, or mark of an edited copy."""
    rest, extension = split_name(stem)
    if extension in BUNDLED_EXTENSIONS or _SUPPLEMENT.startswith(extension or "?"):
        return rest
    return original_stem(stem) or _DOUBLE.sub("", stem)


def group(members: Iterable[Member]) -> tuple[Bundle, ...]:
    """Bundles of two and more, by key of the primary; members that belong nowhere are left out."""
    ordered = sorted(members, key=lambda m: (m.directory, m.name, m.key))
    parents = _parents(ordered)
    families: dict[str, dict[str, BundleRole]] = {}
    for key, (_, role) in parents.items():
        families.setdefault(_head(key, parents), {})[key] = role
    identifiers = {m.key: m.content_id for m in ordered}
    return tuple(
        _bundle(primary, roles, identifiers) for primary, roles in sorted(families.items())
    )


def why_lone(member: Member) -> str:
    """One sentence on a sidecar that belongs to nothing here."""
    told = member.format or (member.likely.name if member.likely else "")
    if told in ("takeout-json", "takeout-album"):
        return takeout.why_unmatched(member.name)
    return (
        "This belongs to a photo or video of the same name, which is not in the same folder. "
        "Put the two together, and they will be joined."
    )


_Parents = dict[str, tuple[str, BundleRole]]


def _parents(ordered: list[Member]) -> _Parents:
    """Who belongs to whom, as what. Photos and videos first: a sidecar may belong to any of them.

    The graph has no circle: an edit hangs on what is not that edit, a negative and a moving half
    hang on a finished picture, sidecars carry nothing.
    """
    media = [m for m in ordered if m.category in (Category.PHOTO, Category.VIDEO)]
    parents: _Parents = {}
    by_stem = _by(media, lambda m: (m.directory, m.stem))
    _attach_edits(parents, media, by_stem)
    finished = [m for m in media if m.key not in parents and not m.is_raw]
    _attach_raws(parents, media, by_stem)
    _attach_live(parents, media, finished)
    _attach_sidecars(parents, ordered, media)
    return parents


def _attach_edits(
    parents: _Parents, media: list[Member], by_stem: Mapping[tuple[str, str], list[Member]]
) -> None:
    for edit in media:
        candidates = by_stem.get((edit.directory, edit.original or ""), ())
        best = _best(edit, candidates, is_edit_of)
        if best is not None:
            parents[edit.key] = (best.key, BundleRole.EDIT)


def _attach_raws(
    parents: _Parents, media: list[Member], by_stem: Mapping[tuple[str, str], list[Member]]
) -> None:
    for raw in media:
        if raw.is_raw and raw.key not in parents:
            beside = by_stem[raw.directory, raw.stem]
            best = _best(raw, [m for m in beside if m.key not in parents], is_raw_of)
            if best is not None:
                parents[raw.key] = (best.key, BundleRole.RAW)


def _attach_live(parents: _Parents, media: list[Member], photos: list[Member]) -> None:
    """A photo has one moving half, a moving half one photo; identifiers choose before names."""
    videos = [m for m in media if m.category is Category.VIDEO and m.key not in parents]
    photos = [m for m in photos if m.category is Category.PHOTO]
    by_name = _by(photos, lambda m: m.stem)
    by_content = _by(photos, lambda m: m.content_id)
    taken: set[str] = set()
    for by_identifier in (True, False):
        for video in videos:
            if video.key in parents:
                continue
            candidates = by_content.get(video.content_id, []) if video.content_id else []
            if not by_identifier:
                candidates = by_name.get(video.stem, [])
            best = _best(video, [c for c in candidates if c.key not in taken], is_live_video)
            if best is not None:
                parents[video.key] = (best.key, BundleRole.LIVE_VIDEO)
                taken.add(best.key)


def _attach_sidecars(parents: _Parents, ordered: list[Member], media: list[Member]) -> None:
    by_directory = _by(media, lambda m: m.directory)
    sidecars = _by([m for m in ordered if m.category is Category.SIDECAR], lambda m: m.directory)
    for directory, here in sidecars.items():
        beside = by_directory.get(directory, [])
        named = _by(beside, lambda m: split_name(m.name)[0])
        matched = _takeout(here, beside)
        for sidecar in here:
            best = matched.get(sidecar.key) or _best(sidecar, _named(sidecar, named), is_sidecar_of)
            if best is not None:
                parents[sidecar.key] = (best.key, BundleRole.SIDECAR)


def _named(sidecar: Member, named: Mapping[str, list[Member]]) -> Iterator[Member]:
    """Media whose stem the sidecar's stem is, with or without the media's own extension."""
    stem = split_name(sidecar.name)[0]
    for candidate in dict.fromkeys((stem, split_name(stem)[0], original_stem(stem) or stem)):
        yield from named.get(candidate, ())


def _takeout(sidecars: list[Member], media: list[Member]) -> dict[str, Member]:
    jsons = {m.name: m for m in sidecars if m.likely and m.likely.name == "takeout-json"}
    pictures = {m.name: m for m in media}
    matched = takeout.match(jsons.keys(), pictures.keys())
    return {jsons[json].key: pictures[picture] for json, picture in matched.items()}


def _best(one: Member, candidates: Iterable[Member], rule: _Rule) -> Member | None:
    """The likeliest partner: same identifier, the name spelt alike, HEIC before JPEG, then name."""
    fitting = [c for c in candidates if c.key != one.key and rule(one, c)]
    return min(fitting, key=lambda c: _preference(one, c), default=None)


def _preference(one: Member, other: Member) -> tuple[bool, bool, bool, int, str, str]:
    order = ("heic", "jpeg", "heif")
    told = other.likely.name if other.likely else ""
    stem = one.name.rpartition(".")[0]
    return (
        not (one.content_id and one.content_id == other.content_id),
        stem not in (other.name, other.name.rpartition(".")[0]),
        other.is_raw and one.category is not Category.SIDECAR,
        order.index(told) if told in order else len(order),
        other.name,
        other.key,
    )


def _by(members: Iterable[Member], key: Callable[[Member], _K]) -> dict[_K, list[Member]]:
    groups: dict[_K, list[Member]] = {}
    for member in members:
        groups.setdefault(key(member), []).append(member)
    return groups


def _head(key: str, parents: _Parents) -> str:
    while key in parents:
        key = parents[key][0]
    return key


def _bundle(
    primary: str, roles: Mapping[str, BundleRole], identifiers: Mapping[str, str | None]
) -> Bundle:
    members = ((primary, BundleRole.PRIMARY), *sorted(roles.items()))
    content_id = identifiers[primary] or next(
        (identifiers[key] for key, _ in members if identifiers[key]), None
    )
    return Bundle(members, content_id)
