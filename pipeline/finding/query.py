"""A query as a value: terms, and how they are joined. What `language` reads and the state answers.

Every term narrows what is found; `ALL` narrows nothing. Dates are local prefixes of ISO 8601
("2023", "2023-07", "2023-07-14"), both ends inclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.model import Category, FileState


class Field(StrEnum):
    """Where a text is looked for."""

    PERSON = "person"
    TAG = "tag"
    PLACE = "place"
    TEXT = "text"  # read in the picture
    CAMERA = "camera"
    LENS = "lens"
    TITLE = "title"
    NAME = "name"  # of the file
    IN = "in"  # the folder in the library


class Mark(StrEnum):
    """What a file can be besides its state."""

    DAMAGED = "damaged"
    LOCATED = "located"


@dataclass(frozen=True, slots=True)
class Text:
    """Words next to each other, in one field or anywhere; the last may be only begun."""

    text: str
    field: Field | None = None
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class During:
    """Taken in this time; an end that is None is open."""

    since: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class Rated:
    """Between so many stars, both included; 0 is not rated, -1 rejected."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class OfType:
    """Of one kind of media."""

    category: Category


@dataclass(frozen=True, slots=True)
class InState:
    """At one point of its way; without such a term, files of the library are found."""

    state: FileState


@dataclass(frozen=True, slots=True)
class Marked:
    """Damaged, or with a known position."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Near:
    """Within `km` of a position."""

    lat: float
    lon: float
    km: float


@dataclass(frozen=True, slots=True)
class Not:
    """What does not fit `term`."""

    term: Term


@dataclass(frozen=True, slots=True)
class AllOf:
    """What fits every one of these; of none: everything."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What fits one of these, of which there are at least two."""

    terms: tuple[Term, ...]


Leaf = Text | During | Rated | OfType | InState | Marked | Near
Term = Leaf | Not | AllOf | AnyOf
ALL = AllOf(())


def all_of(*terms: Term) -> Term:
    """What fits all of these, without nesting."""
    flat: list[Term] = []
    for term in terms:
        flat += term.terms if isinstance(term, AllOf) else (term,)
    return flat[0] if len(flat) == 1 else AllOf(tuple(flat))


def any_of(*terms: Term) -> Term:
    """What fits one of these, without nesting."""
    flat: list[Term] = []
    for term in terms:
        flat += term.terms if isinstance(term, AnyOf) else (term,)
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def inverted(term: Term) -> Term:
    """What does not fit; not not is yes."""
    return term.term if isinstance(term, Not) else Not(term)


def leaves(term: Term) -> tuple[Leaf, ...]:
    """Every term that is not made of others, in order."""
    match term:
        case Not(inner):
            return leaves(inner)
        case AllOf(terms) | AnyOf(terms):
            return tuple(leaf for one in terms for leaf in leaves(one))
        case _:
            return (term,)
