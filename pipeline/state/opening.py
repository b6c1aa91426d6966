"""What the process that owns a home does before it opens the state: look, and mend if need be.

Promises: a damaged database is never opened for writing and never lost, it is set aside; the
newest good snapshot takes its place; when there is none the state begins anew, and the caller is
told, because an empty state beside a full library must be filled from the library at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pipeline.state import damage, snapshots
from pipeline.state.snapshots import Move, Snapshot


class Found(StrEnum):
    """In what condition the state was."""

    NEW = "new"  # a first start: no database and no snapshot
    GOOD = "good"
    DOUBTFUL = "doubtful"  # whole, but its latest changes may be lost
    RESTORED = "restored"  # was damaged; a snapshot is in its place
    LOST = "lost"  # was damaged, and no snapshot is good: it begins anew


@dataclass(frozen=True, slots=True)
class Opening:
    """What was found and done. `reason` is a sentence for a person, empty for NEW and GOOD."""

    found: Found
    reason: str = ""
    aside: Path | None = None  # where the damaged files lie now
    snapshot: Snapshot | None = None  # what took their place

    @property
    def needs_rescan(self) -> bool:
        """Must the library be read again, so that no file in it stays unknown?

        Also at a first start: a library may have been brought along.
        """
        return self.found is not Found.GOOD


def make_ready(database: Path, at: datetime, move: Move, *, was_closed: bool = True) -> Opening:
    """Leave at `database` something `open_database` can open; blocks, so run it in a thread.

    Only for the owner of the home. `was_closed` tells whether the last owner ended in order.
    Emit `StateRestored(reason)` and read the library again when the answer `needs_rescan`.
    """
    doubt = damage.doubt_about_wal(database, was_closed=was_closed)  # first: looking makes a log
    if not database.exists() or damage.is_unborn(database):
        if not snapshots.listing(database):
            return _begin(database, at, move)
        return _mend(database, at, move, "it was gone or empty")
    fault = damage.examine(database)
    if fault is not None:
        return _mend(database, at, move, fault)
    if doubt is not None:
        return Opening(
            Found.DOUBTFUL,
            f"The database is whole, but its latest changes may be lost: {doubt}. "
            "The library is read again.",
        )
    return Opening(Found.GOOD)


def _begin(database: Path, at: datetime, move: Move) -> Opening:
    # A log file without its database would be applied to the new one.
    is_empty = not database.exists() or database.stat().st_size == 0
    logs = [path for path in damage.beside(database) if path.exists() and path.stat().st_size]
    aside = snapshots.set_aside(database, at, move) if is_empty and logs else None
    return Opening(Found.NEW, aside=aside)


def _mend(database: Path, at: datetime, move: Move, fault: str) -> Opening:
    aside = snapshots.set_aside(database, at, move)
    snapshot = snapshots.restore_newest_good(database, move)
    where = f" The damaged files lie in {aside}." if aside else ""
    if snapshot is None:
        return Opening(
            Found.LOST,
            f"The database was damaged ({fault}) and there is no good snapshot. No photo was "
            f"touched; the library is read again from the start.{where}",
            aside,
        )
    return Opening(
        Found.RESTORED,
        f"The database was damaged ({fault}). The snapshot of {snapshot.at:%Y-%m-%d %H:%M} UTC is "
        f"in its place, and the library is read again.{where}",
        aside,
        snapshot,
    )
