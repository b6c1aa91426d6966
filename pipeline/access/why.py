"""Why somebody sees something, as a sentence that a family understands."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.state.ways import Way

_MAY = {"view": "look at", "add": "add to", "edit": "edit", "manage": "share"}


def sentence(name: str, thing: str, way: Way, names: Mapping[str, str]) -> str:
    """`thing` is "file", "album" or "library"; `names` are how users are called, by id."""
    chain = (_team(way), _lent(thing, way, names), _album(thing, way))
    return f"{name} sees this {thing} because {', '.join(filter(None, chain))}."


def _team(way: Way) -> str:
    return "" if way.team is None else f"they are in the team “{way.team}”"


def _lent(thing: str, way: Way, names: Mapping[str, str]) -> str:
    if way.lent is None:
        is_through_album = way.album_id is not None and thing != "album"
        return f"the album “{way.album}” is theirs" if is_through_album else "it is theirs"
    may = f"{'they' if way.team is None else 'which'} may {_MAY[way.permission]}"
    if way.lent == "library":
        return f"{may} the library of {names.get(way.album_owner_id or way.owner_id, 'somebody')}"
    if way.lent == "album" and thing != "album":
        return f"{may} the album “{way.album}”"
    return f"{may} it"


def _album(thing: str, way: Way) -> str:
    if way.album_id is None:
        return ""
    if way.lent != "library":
        return "" if thing == "album" else "and it is in that"
    if thing == "album":
        return "to which it belongs"
    return f"to which the album “{way.album}” belongs, and it is in that"
