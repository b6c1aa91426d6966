"""From what is known of a bundle to the names its files get in the library.

Pure: the same knowledge gives the same names. Members of a bundle share one folder and one stem, so
that pairs stay recognisable to people and to other programs; sidecars keep the kind of name they
had ("IMG_1.xmp", "IMG_1.JPG.xmp"), Takeout's become "<name>.json". Templates: `template.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.intake import kind
from pipeline.library import template as templates
from pipeline.library.component import LIMIT, cut, key, readable, safe
from pipeline.library.template import Template, parse
from pipeline.model import PLURAL, BundleRole, Category

__all__ = [
    "DEFAULT",
    "LIMIT",
    "Naming",
    "Target",
    "Template",
    "anchored",
    "around",
    "key",
    "parse",
    "plan",
]

DEFAULT = templates.DEFAULT
_LONGEST_TAIL = 100  # bytes behind the shared stem, "-edited.jpg.supplemental-metadata.json"


@dataclass(frozen=True, slots=True)
class Naming:
    """What a name can be made of. `name` is the source's file name as the OS gave it."""

    name: str
    format: str | None = None  # a key of `kind.FORMATS`
    role: BundleRole | None = None
    taken_at: str | None = None  # local ISO 8601
    make: str | None = None
    model: str | None = None
    camera: str | None = None
    place: str | None = None  # "City, Country"
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file goes: its folder, the stem its bundle shares, and what is its own behind it.

    `room` is how many bytes the stem may have, alike for all of a bundle.
    """

    folder: str
    stem: str
    tail: str
    room: int

    def path(self, number: int = 1) -> str:
        """The path below the library; from the second on, `number` makes it another name."""
        suffix = "" if number == 1 else f" ({number})"
        stem = cut(self.stem, self.room - len(suffix)).rstrip(" .") or "_"
        name = f"{stem}{suffix}{self.tail}"
        return f"{self.folder}/{name}" if self.folder else name


def plan(members: Sequence[Naming], template: Template) -> tuple[Target, ...]:
    """The targets of a bundle, in the order given; its primary decides, else its first member."""
    head = next((m for m in members if m.role is BundleRole.PRIMARY), members[0])
    stem, extension = _split(_corrected(head))
    keeps_names = any(
        isinstance(part, templates.Field) and part.name in ("name", "stem")
        for part in template.file
    )
    shared = safe(_stem(head, stem, extension, template))
    parts = [
        (shared, extension) if m is head else _part(m, head, shared, extension, keeps_names)
        for m in members
    ]
    folder = "/".join(templates.folders(template, _values(head, stem, extension), _taken(head)))
    parts = [(own, _short(tail)) for own, tail in parts]
    room = LIMIT - max(len(tail.encode()) for _, tail in parts)
    return _apart([Target(folder, own, tail, room) for own, tail in parts])


def anchored(targets: Sequence[Target], index: int, path: str) -> tuple[Target, ...]:
    """The targets of a bundle of which the member at `index` already lies at `path`.

    Whoever shares its stem follows it; where that cannot be told, at least the folder is shared.
    """
    folder, _, name = path.rpartition("/")
    known = targets[index]
    stem = name.removesuffix(known.tail) if name.endswith(known.tail) else known.stem
    return tuple(
        replace(t, folder=folder, stem=stem if t.stem == known.stem else t.stem) for t in targets
    )


def around(paths: Sequence[str]) -> tuple[Target, ...]:
    """Targets that, unnumbered, are just these paths of one bundle; its shortest name leads."""
    shortest = min((path.rpartition("/")[2] for path in paths), key=lambda name: (len(name), name))
    stem = _split(shortest)[0]
    parts: list[tuple[str, str, str]] = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        own, tail = (stem, name[len(stem) :]) if name.startswith(stem) else _split(name)
        parts.append((folder, own, tail))
    room = LIMIT - max(len(tail.encode()) for _, _, tail in parts)
    return tuple(Target(folder, own, tail, room) for folder, own, tail in parts)


def _stem(head: Naming, stem: str, extension: str, template: Template) -> str:
    text = templates.file_stem(template, _values(head, stem, extension), _taken(head))
    without = text[: -len(extension)] if extension else text
    return without if without and text.casefold().endswith(extension.casefold()) else text


def _part(
    member: Naming, head: Naming, shared: str, extension: str, keeps_names: bool
) -> tuple[str, str]:
    """(stem, tail) of another member: the shared stem wherever its own name allows."""
    if member.format == "takeout-json":
        return shared, f"{extension}.json"
    name, head_name = _safe_name(_corrected(member)), _safe_name(_corrected(head))
    written = _safe_name(head.name)  # sidecars name the extension that the file came with
    for whole in (head_name, written):
        if _begins(name, f"{whole}."):
            return shared, extension + name[len(whole) :]
    head_stem, (own_stem, own_extension) = _split(head_name)[0], _split(name)
    if _begins(name, head_stem):
        return shared, name[len(head_stem) :]
    if member.role is BundleRole.EDIT and not keeps_names:
        return shared, f"-edited{own_extension}"
    if keeps_names and member.role in (BundleRole.EDIT, BundleRole.SIDECAR):
        return safe(own_stem), own_extension
    return shared, own_extension


def _begins(name: str, beginning: str) -> bool:
    return name[: len(beginning)].casefold() == beginning.casefold()


def _short(tail: str) -> str:
    """A tail of a sane length: the last extension is what a program needs."""
    tail = tail if len(tail.encode()) <= _LONGEST_TAIL else _split(f"x{tail}")[1]
    return tail.rstrip(" .")


def _apart(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Two members of one bundle never share a name; the number goes before the tail."""
    seen: set[str] = set()
    found: list[Target] = []
    for target in targets:
        own, number = target, 1
        while key(own.path()) in seen:
            number += 1
            own = replace(
                target, tail=f"-{number}{target.tail}", room=target.room - len(f"-{number}")
            )
        seen.add(key(own.path()))
        found.append(own)
    return tuple(found)


def _corrected(naming: Naming) -> str:
    """The readable name with the extension its content deserves."""
    told = kind.FORMATS.get(naming.format or "")
    name = readable(naming.name)
    if told is None or told.name in ("takeout-json", "takeout-album"):
        return name
    return kind.corrected_name(name, told)


def _safe_name(name: str) -> str:
    stem, extension = _split(name)
    return safe(stem) + extension


def _split(name: str) -> tuple[str, str]:
    """Stem and extension with its dot; only short plain extensions count as such."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or not (extension.isascii() and extension.isalnum()):
        return name, ""
    return (stem, f".{extension}") if len(extension) <= 16 else (name, "")


def _values(head: Naming, stem: str, extension: str) -> dict[str, str | None]:
    told = kind.FORMATS.get(head.format or "")
    category = told.category if told else Category.UNKNOWN
    city, comma, country = (head.place or "").rpartition(", ")
    return {
        "name": stem,
        "stem": stem,
        "ext": extension.removeprefix("."),
        "category": PLURAL.get(category, "other"),
        "camera": head.camera,
        "make": head.make,
        "model": head.model,
        "place": head.place,
        "city": city,
        "country": country if comma else None,
        "owner": head.owner,
    }


def _taken(head: Naming) -> datetime | None:
    try:
        return datetime.fromisoformat(head.taken_at) if head.taken_at else None
    except ValueError:
        return None
