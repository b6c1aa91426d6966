"""Groups for the review: files of equal bytes and look-alikes, each with a keeper and its reasons.

Reading only. A suggestion stays one until a person decides; see `pipeline.state.duplicates.decide`.
Read first: `exact.py` for any folders, `similar.py` for look-alikes.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from pipeline.library import keeper, resemblance
from pipeline.library.keeper import Keeper
from pipeline.state import bursts, duplicates
from pipeline.state.duplicates import Group, Member, Pair


@dataclass(frozen=True, slots=True)
class Review:
    """One group with the file proposed to be kept, and why its files are held for alike.

    `cursor` continues the list after it.
    """

    members: tuple[Member, ...]
    pairs: tuple[Pair, ...]
    keeper: Keeper
    cursor: str
    alike: tuple[str, ...] = ()

    @property
    def reclaimable(self) -> int:
        """Bytes that keeping only the keeper would free."""
        return sum(m.size for m in self.members if m.file_id != self.keeper.file_id)


def exact(con: sqlite3.Connection, owner_id: str, after: str = "", limit: int = 50) -> list[Review]:
    """Files with equal bytes: the one in the library is the keeper, the others were not stored."""
    return [
        replace(
            _review(group, Keeper(group.members[0].file_id, ("in the library",))),
            alike=("every byte is the same",),
        )
        for group in duplicates.exact_groups(con, owner_id, after, limit)
    ]


def similar(
    con: sqlite3.Connection, owner_id: str, after: str = "", limit: int = 50
) -> list[Review]:
    """Pictures that look alike and that nobody decided on yet."""
    return [
        _review(group, keeper.propose(group.members))
        for group in duplicates.similar_groups(con, owner_id, after, limit)
    ]


def series(
    con: sqlite3.Connection, owner_id: str, after: str = "", limit: int = 50
) -> list[Review]:
    """Bursts, each with its best frame; the others are photos of their own."""
    return [
        _review(group, keeper.propose(group.members))
        for group in bursts.groups(con, owner_id, after, limit)
    ]


def _review(group: Group, kept: Keeper) -> Review:
    alike = resemblance.why(group.members, group.pairs)
    return Review(group.members, group.pairs, kept, group.members[0].file_id, alike)
