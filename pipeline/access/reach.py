"""Whose things somebody may touch, and why: the other half of the one check beside `rights`.

A role says what a person may do at all; reach says to whose things. One's own come first, then a
library that is lent, then an album, then a file, each directly or through a team. What cannot be
reached is not there: foreign and absent answer alike. No role reaches anything by itself, not even
that of an administrator.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from pipeline.access.rights import Right
from pipeline.errors import NotAllowed, NotFound
from pipeline.model import Actor
from pipeline.state import ways
from pipeline.state.ways import Way


class Permission(IntEnum):
    """How far something is reached; each holds those before it."""

    VIEW = 1
    ADD = 2  # put files into a library or an album
    EDIT = 3  # change, trash
    MANAGE = 4  # lend on, make links
    OWN = 5  # delete for good, give away

    @property
    def word(self) -> str:
        """As it stands in the state and in the API."""
        return self.name.lower()


# How far a library must be reached for what can be done there. What is missing here can be done to
# one's own library only.
NEEDS: Mapping[Right, Permission] = {
    Right.FILES_READ: Permission.VIEW,
    Right.PEOPLE_READ: Permission.VIEW,
    Right.ALBUMS_READ: Permission.VIEW,
    Right.FILES_ADD: Permission.ADD,
    Right.FILES_WRITE: Permission.EDIT,
    Right.FILES_TRASH: Permission.EDIT,
    Right.PEOPLE_WRITE: Permission.EDIT,
    Right.ALBUMS_WRITE: Permission.EDIT,
    Right.JOBS_READ: Permission.EDIT,
    Right.JOBS_WRITE: Permission.EDIT,
    Right.SHARES_WRITE: Permission.MANAGE,
}
_NEARNESS = (None, "library", "album", "file")  # of two ways as wide the nearer is told


@dataclass(frozen=True, slots=True)
class Reach:
    """How far somebody reaches a thing, by which way, and whose it is."""

    permission: Permission
    way: Way

    @property
    def owner_id(self) -> str:
        """Whose it is."""
        return self.way.owner_id


def library(con: sqlite3.Connection, actor: Actor, owner_id: str, right: Right) -> Actor:
    """The actor, looking into the library of `owner_id` to use this right there.

    Raises `NotFound` where it is not lent to them, `NotAllowed` where it is not lent that far.
    """
    found = widest(ways.to_library(con, actor.user_id, owner_id))
    return _into(actor, _enough(found, NEEDS.get(right, Permission.OWN), "library"))


def file(con: sqlite3.Connection, actor: Actor, file_id: str, right: Right) -> Actor:
    """The actor, looking into the library where this one file is, to use this right on it.

    The answer is good for this file alone: other files of that library may not be lent. Raises as
    `library` does.
    """
    found = widest(ways.to_file(con, actor.user_id, file_id))
    return _into(actor, _enough(found, NEEDS.get(right, Permission.OWN), "file"))


def album(con: sqlite3.Connection, actor: Actor, album_id: str, needs: Permission) -> Reach:
    """How the actor reaches an album. Raises as `library` does."""
    found = widest(ways.to_album(con, actor.user_id, album_id))
    return _enough(found, needs, "album")


def lendable(con: sqlite3.Connection, actor: Actor, kind: str, thing_id: str) -> Reach:
    """How the actor reaches a library, an album or a file of which something is to be lent.

    Raises as `library` does.
    """
    found = {"library": ways.to_library, "album": ways.to_album, "file": ways.to_file}[kind]
    reach = widest(found(con, actor.user_id, thing_id))
    return _enough(reach, Permission.MANAGE, kind)


def widest(found: Sequence[Way]) -> Reach | None:
    """The way that reaches farthest; None where there is none."""
    ranked = sorted(found, key=_rank)
    return Reach(_permission(ranked[0]), ranked[0]) if ranked else None


def _rank(way: Way) -> tuple[int, int, bool, str]:
    near = _NEARNESS.index("album" if way.lent is None and way.album_id else way.lent)
    return -_permission(way), near, way.team_id is not None, way.team or ""


def _permission(way: Way) -> Permission:
    return Permission[way.permission.upper()]


def _enough(found: Reach | None, needs: Permission, kind: str) -> Reach:
    if found is None:
        raise NotFound(f"There is no such {kind}.")
    if found.permission < needs:
        raise NotAllowed(
            f"This {kind} is lent to you to {found.permission.word}; that is not enough for this.",
            hint="Its owner can lend it farther.",
        )
    return found


def _into(actor: Actor, reach: Reach) -> Actor:
    own = reach.owner_id == actor.user_id
    return replace(actor, library="" if own else reach.owner_id)
