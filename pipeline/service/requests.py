"""What can be asked of many files at once: each operation as a value, checked when it is made.

Programs ask by name (`asked("move", target="Holidays")`); a misspelt operation or option is
answered with the one that was likely meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.errors import Invalid
from pipeline.finding import tagging
from pipeline.library import names
from pipeline.library.names import Template
from pipeline.service.editing import Say, Shift, Zone
from pipeline.state.tags import Wanted


@dataclass(frozen=True, slots=True)
class Move:
    """Into the folder `target` of the library, under the names they have."""

    target: str


@dataclass(frozen=True, slots=True)
class Rename:
    """By a template; one without folders leaves every file in its folder."""

    template: str

    def parsed(self) -> Template:
        """The checked template. Raises `Invalid`."""
        return names.parse(self.template)


@dataclass(frozen=True, slots=True)
class Copy:
    """Verified copies in a folder outside Darkroom."""

    destination: Path


@dataclass(frozen=True, slots=True)
class Delete:
    """Into the trash."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retag:
    """Tags to give and to take away."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def words(self) -> tuple[str, ...]:
        """The tags to add as they are stored. Raises `Invalid` for what is no tag."""
        return _tags(self.add)

    def wanted(self) -> Wanted:
        """The tags as they are stored. Raises `Invalid` for what is no tag or makes no sense."""
        wanted = Wanted(_tags(self.add), _tags(self.remove))
        both = sorted(set(wanted.add) & set(wanted.remove))
        if both:
            raise Invalid(f"The tag {both[0]!r} is both to be given and to be taken away.")
        if not wanted.add and not wanted.remove:
            raise Invalid("No tag is named.", hint="Name tags to add or to remove.")
        return wanted


@dataclass(frozen=True, slots=True)
class Gather:
    """Into the album with this id."""

    album: str


@dataclass(frozen=True, slots=True)
class Convert:
    """Copies in another format, in a folder outside Darkroom. See the stage for its words."""

    to: str
    destination: Path
    target: float | None = None
    quality: int | None = None
    lossless: bool = False

    def wish(self) -> dict[str, Any]:
        """The parameters of the stage. Raises `Invalid` for a format that cannot be written."""
        if self.to not in FORMATS:
            raise Invalid(
                f"Nothing can be converted to {self.to!r}.", hint=_meant(self.to, FORMATS)
            )
        told = {"target": self.target, "quality": self.quality}
        wish = {name: value for name, value in told.items() if value is not None}
        return {"to": self.to, **wish, **({"lossless": True} if self.lossless else {})}


FORMATS = ("jpeg", "png", "webp", "avif", "heic", "jxl", "tiff", "gif", "apng")
Operation = Move | Rename | Copy | Convert | Delete | Retag | Say | Shift | Zone | Gather
OPERATIONS: Mapping[str, type[Operation]] = {
    "move": Move,
    "copy": Copy,
    "convert": Convert,
    "rename": Rename,
    "delete": Delete,
    "retag": Retag,
    "edit": Say,
    "shift": Shift,
    "zone": Zone,
    "album": Gather,
}
NAMES = {kind: name for name, kind in OPERATIONS.items()}


def asked(operation: str, options: Mapping[str, Any]) -> Operation:
    """The operation of this name with these options.

    Raises `Invalid` for a name or option that does not exist, is missing, or has the wrong type.
    """
    kind = OPERATIONS.get(operation)
    if kind is None:
        raise Invalid(f"There is no operation {operation!r}.", hint=_meant(operation, OPERATIONS))
    known = [field.name for field in fields(kind)]
    for name in options:
        if name not in known:
            hint = _meant(name, known)
            raise Invalid(f"The operation {operation} has no option {name!r}.", hint=hint)
    typed = {name: _typed(kind, name, value) for name, value in options.items()}
    try:
        return kind(**typed)
    except TypeError as error:
        raise Invalid(f"The operation {operation} needs: {', '.join(known)}.") from error


def _typed(kind: type[Operation], name: str, value: object) -> Any:
    """`value` as the field wants it: a path, a tuple of words, or a text."""
    if name == "destination" and isinstance(value, str | Path):
        return Path(value).expanduser().absolute()
    if kind in (Convert, Shift) and name in _NUMBERS:
        if isinstance(value, _NUMBERS[name]) and isinstance(value, bool) is (name == "lossless"):
            return value
        raise Invalid(f"{value!r} cannot be the {name} of the operation {NAMES[kind]}.")
    if kind is Say and name == "fields" and isinstance(value, Mapping):
        return dict(value)
    if kind is Retag or (kind is Say and name == "reset"):
        words = [value] if isinstance(value, str) else value
        if isinstance(words, Iterable) and all(isinstance(word, str) for word in words):
            return tuple(words)
    elif isinstance(value, str):
        return value
    raise Invalid(f"{value!r} cannot be the {name} of the operation {NAMES[kind]}.")


_NUMBERS: Mapping[str, tuple[type, ...]] = {
    "target": (int, float),
    "quality": (int,),
    "lossless": (bool,),
    "seconds": (int,),
}


def _meant(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."


def _tags(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_tag, words)))


def _tag(word: str) -> str:
    tag = tagging.tag(word)
    if tag is None:
        limit = tagging.LONGEST
        raise Invalid(f"{word!r} is no tag.", hint=f"A tag has 1 to {limit} plain characters.")
    return tag
