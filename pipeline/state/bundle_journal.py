"""What a person says belongs together, or does not, as part of a job, so that it can be undone.

A file that is split off gets a bundle of its own and is never without one again: that is how its
being apart stands against names and identifiers that would join it anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from pipeline.clock import Clock, new_id, timestamp
from pipeline.model import BundleRole, JsonObject
from pipeline.state import bundles
from pipeline.state.journal import Entry

Places = Mapping[str, tuple[str | None, BundleRole | None]]  # bundle and role, by file


def regroup(
    con: sqlite3.Connection, owner_id: str, wanted: Places, clock: Clock, *, job_id: str
) -> None:
    """Bring the owner's files into these bundles and roles, journaled as part of the job.

    Bundles that are not there yet are made; those that nothing belongs to any more are forgotten.
    """
    now = clock.now()
    at, before = timestamp(now), _places(con, list(wanted))
    _make(con, owner_id, wanted, at)
    for file_id, place in wanted.items():
        if before[file_id] == place:
            continue
        bundles.assign(con, file_id, *place, at)
        con.execute(
            "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
            " VALUES (?, ?, ?, 'bundle', ?, ?, ?)",
            (new_id(now), job_id, file_id, _line(*before[file_id]), _line(*place), at),
        )
    bundles.drop_empty(con, sorted({bundle for bundle, _ in before.values() if bundle}))


def revert(con: sqlite3.Connection, entries: Sequence[Entry], clock: Clock, *, actor: str) -> None:
    """Bring these files back to what they belonged to, as far as they are as the job left them."""
    at, now = timestamp(clock.now()), _places(con, [entry.file_id for entry in entries])
    for entry in entries:
        if now[entry.file_id] == _told(entry.after):
            _make(con, _owner(con, entry.file_id), {entry.file_id: _told(entry.before)}, at)
            bundles.assign(con, entry.file_id, *_told(entry.before), at)
        con.execute("UPDATE journal SET undone_at = ? WHERE id = ?", (at, entry.id))
    bundles.drop_empty(con, sorted({bundle for bundle, _ in now.values() if bundle}))


def _make(con: sqlite3.Connection, owner_id: str, wanted: Places, at: str) -> None:
    for bundle_id in {bundle for bundle, _ in wanted.values() if bundle is not None}:
        if con.execute("SELECT 1 FROM bundles WHERE id = ?", (bundle_id,)).fetchone() is None:
            bundles.create(con, bundle_id, owner_id, None, at)


def _places(
    con: sqlite3.Connection, file_ids: Sequence[str]
) -> dict[str, tuple[str | None, BundleRole | None]]:
    return {row.id: (row.bundle_id, row.role) for row in bundles.rows(con, file_ids)}


def _owner(con: sqlite3.Connection, file_id: str) -> str:
    (row,) = bundles.rows(con, [file_id])
    return row.owner_id


def _line(bundle_id: str | None, role: BundleRole | None) -> str:
    return json.dumps({"bundle": bundle_id, "role": role})


def _told(side: JsonObject) -> tuple[str | None, BundleRole | None]:
    return side["bundle"], None if side["role"] is None else BundleRole(side["role"])
