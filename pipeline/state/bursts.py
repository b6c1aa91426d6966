"""Series of photos taken within a moment of each other by one camera: bursts.

Frames of a burst are different photos and no duplicates of each other; a review only proposes the
best of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta

from pipeline.state.duplicates import Group, members

PAUSE = timedelta(seconds=2)  # a longer one ends a burst
LEAST = 3  # two photos are no burst
_CLOCKS = "('sidecar', 'takeout', 'exif+offset', 'exif+gps', 'exif', 'quicktime', 'xmp', 'gps')"


def groups(con: sqlite3.Connection, owner_id: str, after: str, limit: int) -> list[Group]:
    """Up to `limit` bursts in order of time, each by its frames; `after` is the last one's first
    frame."""
    found: list[Group] = []
    is_due = not after
    for ids in _series(con, owner_id):
        if is_due:
            found.append(Group(members(con, owner_id, ids)))
        is_due = is_due or ids[0] == after
        if len(found) == limit:
            break
    return found


def _series(con: sqlite3.Connection, owner_id: str) -> Iterator[list[str]]:
    rows = con.execute(
        "SELECT id, camera, taken_utc FROM media_files WHERE owner_id = ? AND category = 'photo'"
        " AND state IN ('placed', 'done') AND camera IS NOT NULL AND taken_utc IS NOT NULL"
        f" AND taken_from IN {_CLOCKS} AND coalesce(bundle_role, 'primary') = 'primary'"
        " ORDER BY camera, taken_utc, id",
        (owner_id,),
    )
    series: list[str] = []
    before: tuple[str, datetime] | None = None
    for row in rows:
        now = row["camera"], datetime.fromisoformat(row["taken_utc"])
        goes_on = before is not None and before[0] == now[0] and now[1] - before[1] <= PAUSE
        if not goes_on:
            if len(series) >= LEAST:
                yield series
            series = []
        series.append(row["id"])
        before = now
    if len(series) >= LEAST:
        yield series
