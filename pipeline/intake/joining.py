"""Bundles in the state: rows are joined when they are admitted, and again when visits know more.

Runs inside the caller's transaction. What lies in the library already keeps its bundle; newcomers
join it there. The rules are `bundles.group`; here is only who is asked and what is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from pipeline.clock import new_id, timestamp
from pipeline.intake.bundles import Bundle, group
from pipeline.intake.pairing import Member
from pipeline.model import BundleRole, FileState
from pipeline.state import bundles as stored
from pipeline.state.bundles import Row

# Their bundle was placed as one, so it is not taken apart any more.
_FIXED = frozenset({FileState.PLACING, FileState.PLACED, FileState.DONE, FileState.MISSING})
_GONE = frozenset({FileState.REJECTED, FileState.TRASHED, FileState.PURGED})
_GUESSED_TIMES = frozenset({"mtime", "name"})  # too weak to tell two files apart


def join(
    con: sqlite3.Connection,
    root_id: str,
    places: Iterable[tuple[str, str]],
    owner_id: str,
    now: datetime,
) -> None:
    """Group the files of each (directory, bucket) anew by what is known of them."""
    for directory, bucket in places:
        rows = stored.in_bucket(con, root_id, directory, bucket, owner_id)
        if len(rows) > 1:
            _write(con, _neighbours(con, rows), now)


def confirm(con: sqlite3.Connection, file_ids: Sequence[str], at: str) -> None:
    """After visits of these files: confirm, split or join their bundles by what was read.

    For files studied, found to be duplicates, or rejected (which leave their bundle).
    """
    now = datetime.fromisoformat(at)
    stored.learn_content_ids(con, file_ids)
    done: set[tuple[str, str, str, str]] = set()
    for row in stored.rows(con, file_ids):
        if row.state in _GONE and row.bundle_id is not None:
            stored.assign(con, row.id, None, None, at)
        place = (row.root_id, row.directory, row.bucket, row.owner_id)
        if place not in done:
            done.add(place)
            _write(con, _neighbours(con, stored.in_bucket(con, *place)), now)


def _neighbours(con: sqlite3.Connection, rows: list[Row]) -> list[Row]:
    """`rows`, whoever shares an identifier with them, and whoever is bundled with those."""
    known = {row.id: row for row in rows}
    identifiers = sorted({row.content_id for row in rows if row.content_id})
    for row in stored.with_content_ids(con, identifiers, rows[0].owner_id) if rows else ():
        known.setdefault(row.id, row)
    bundle_ids = sorted({row.bundle_id for row in known.values() if row.bundle_id})
    for row in stored.members(con, bundle_ids):
        known.setdefault(row.id, row)
    return list(known.values())


def _write(con: sqlite3.Connection, rows: list[Row], now: datetime) -> None:
    by_id = {row.id: row for row in rows}
    at = timestamp(now)
    settled: set[str] = set()
    used: set[str] = set()
    for bundle in group(map(_member, rows)):
        members = [(by_id[key], role) for key, role in bundle.roles]
        bundle_id = _bundle_id(con, bundle, [row for row, _ in members], used, now)
        used.add(bundle_id)
        for row, role in members:
            settled.add(row.id)
            _assign(con, row, bundle_id, role, at)
    for row in rows:
        if row.id not in settled and row.bundle_id and row.state not in _FIXED:
            stored.assign(con, row.id, None, None, at)
    stored.drop_empty(con, sorted({row.bundle_id for row in rows if row.bundle_id} - used))


def _assign(con: sqlite3.Connection, row: Row, bundle_id: str, role: BundleRole, at: str) -> None:
    if (row.bundle_id, row.role) == (bundle_id, role):
        return
    if row.state not in _FIXED or row.bundle_id in (None, bundle_id):
        stored.assign(con, row.id, bundle_id, role, at)


def _bundle_id(
    con: sqlite3.Connection, bundle: Bundle, rows: Sequence[Row], used: set[str], now: datetime
) -> str:
    """The bundle that lies in the library already, else one its members have, else a new one."""
    had = sorted(
        (row for row in rows if row.bundle_id and row.bundle_id not in used),
        key=lambda row: row.state not in _FIXED,
    )
    if had and had[0].bundle_id:
        if bundle.content_id:
            stored.identify(con, had[0].bundle_id, bundle.content_id)
        return had[0].bundle_id
    bundle_id = new_id(now)
    stored.create(con, bundle_id, rows[0].owner_id, bundle.content_id, timestamp(now))
    return bundle_id


def _member(row: Row) -> Member:
    return Member(
        key=row.id,
        name=row.name,
        directory=f"{row.root_id}/{row.directory}",
        format=row.format,
        content_id=row.content_id,
        taken=None if row.taken_from in _GUESSED_TIMES else row.taken_at,
        duration_s=row.duration_s,
    )
