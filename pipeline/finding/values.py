"""What may stand behind the fields that are not plain text, and how it is written again.

Each `of_` function answers a term, or None for a value that makes no sense there.
"""

from __future__ import annotations

import re
from datetime import date

from pipeline.finding import moments
from pipeline.finding.query import During, InState, Mark, Marked, Near, OfType, Rated, Term
from pipeline.model import Category, FileState

_TYPES: dict[str, Category] = {category.value: category for category in Category} | {
    "photos": Category.PHOTO, "picture": Category.PHOTO, "pictures": Category.PHOTO,
    "image": Category.PHOTO, "images": Category.PHOTO, "videos": Category.VIDEO,
    "movie": Category.VIDEO, "movies": Category.VIDEO, "film": Category.VIDEO,
    "clip": Category.VIDEO, "sound": Category.AUDIO, "music": Category.AUDIO,
    "documents": Category.DOCUMENT, "pdf": Category.DOCUMENT,
}  # fmt: skip
_STATES: dict[str, FileState] = {state.value: state for state in FileState} | {
    "duplicates": FileState.DUPLICATE, "trash": FileState.TRASHED, "deleted": FileState.TRASHED,
}  # fmt: skip
_MARKS: dict[str, Mark] = {mark.value: mark for mark in Mark} | {
    "broken": Mark.DAMAGED, "geotagged": Mark.LOCATED,
}  # fmt: skip
_RATING = re.compile(r"(<=|>=|<|>|=|≤|≥)?(-1|[0-5])|(-1|[0-5])\.\.(-1|[0-5])")
_NEAR = re.compile(r"([+-]?[\d.]+),([+-]?[\d.]+)(?:,([\d.]+)(?:km)?)?")
_REJECTED, _UNRATED, _BEST = -1, 0, 5
_NEAR_KM, _FARTHEST_KM = 10.0, 20_000.0
_DIGITS = 6


def of_type(text: str, _today: date) -> Term | None:
    """ "photo", "videos" ..."""
    found = _TYPES.get(text.casefold())
    return OfType(found) if found else None


def of_is(text: str, _today: date) -> Term | None:
    """ "damaged", "duplicate", "trashed" ..."""
    name = text.casefold()
    if name in _MARKS:
        return Marked(_MARKS[name])
    return InState(_STATES[name]) if name in _STATES else None


def of_rating(text: str, _today: date) -> Term | None:
    """ "4", ">=4", "2..4" or "none"; a comparison never means rejected or unrated files."""
    if text.casefold() == "none":
        return Rated(_UNRATED, _UNRATED)
    found = _RATING.fullmatch(text)
    if found is None:
        return None
    if found[3]:
        least, most = int(found[3]), int(found[4])
    else:
        least, most = _compared(found[1] or "=", int(found[2]))
    return Rated(least, most) if least <= most else None


def of_near(text: str, _today: date) -> Term | None:
    """ "48.85,2.35" or "48.85,2.35,5km"."""
    found = _NEAR.fullmatch(text.replace(" ", "").casefold())
    if found is None:
        return None
    try:
        lat, lon, km = (
            round(float(n), _DIGITS) for n in (found[1], found[2], found[3] or _NEAR_KM)
        )
    except ValueError:
        return None
    is_on_earth = abs(lat) <= 90 and abs(lon) <= 180
    return Near(lat, lon, km) if is_on_earth and 0 < km <= _FARTHEST_KM else None


def of_date(text: str, today: date) -> Term | None:
    """Any time that `moments` knows."""
    return moments.span(text.split(), today)


def of_before(text: str, today: date) -> Term | None:
    """Up to where the time named begins."""
    found = moments.span(text.split(), today)
    return During(None, moments.before(found.since)) if found and found.since else None


def of_after(text: str, today: date) -> Term | None:
    """From where the time named ends."""
    found = moments.span(text.split(), today)
    return During(moments.after(found.until), None) if found and found.until else None


def of_since(text: str, today: date) -> Term | None:
    """From where the time named begins."""
    found = moments.span(text.split(), today)
    return During(found.since, None) if found and found.since else None


def of_until(text: str, today: date) -> Term | None:
    """Up to where the time named ends."""
    found = moments.span(text.split(), today)
    return During(None, found.until) if found and found.until else None


def written(term: During | Rated | OfType | InState | Marked | Near) -> str:
    """The term as text that is read as an equal one."""
    match term:
        case During(since, None):
            return f"since:{since}"
        case During(None, until):
            return f"until:{until}"
        case During(since, until):
            return f"date:{since}" if since == until else f"date:{since}..{until}"
        case Rated(least, most):
            return f"rating:{least}" if least == most else f"rating:{least}..{most}"
        case OfType(category):
            return f"type:{category}"
        case InState(state):
            return f"is:{state}"
        case Marked(mark):
            return f"is:{mark}"
        case Near(lat, lon, km):
            return f"near:{_plain(lat)},{_plain(lon)},{_plain(km)}km"


def _compared(sign: str, stars: int) -> tuple[int, int]:
    match sign:
        case "=":
            return stars, stars
        case ">=" | "≥":
            return stars, _BEST
        case ">":
            return stars + 1, _BEST
        case "<=" | "≤":
            return min(1, stars), stars
        case _:
            return min(1, stars - 1), stars - 1


def _plain(number: float) -> str:
    return f"{number:.{_DIGITS}f}".rstrip("0").rstrip(".")
