"""Bundles as stored: which rows may belong together, and which were found to."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.model import BundleRole

_COLUMNS = (
    "id, owner_id, root_id, source_dir, source_path, bucket, state, format, content_id, taken_at,"
    " taken_from, duration_s, bundle_id, bundle_role"
)
# Rows that are out of the play: what they once belonged to is history.
_ALIVE = "state NOT IN ('rejected', 'trashed', 'purged')"


@dataclass(frozen=True, slots=True)
class Row:
    """A file as bundles see it."""

    id: str
    owner_id: str
    root_id: str
    directory: str
    name: str
    bucket: str
    state: str
    format: str | None
    content_id: str | None
    taken_at: str | None
    taken_from: str | None
    duration_s: float | None
    bundle_id: str | None
    role: BundleRole | None


def rows(con: sqlite3.Connection, file_ids: Sequence[str]) -> list[Row]:
    """These files, dead or alive."""
    found = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE id IN (SELECT value FROM json_each(?))"
        " ORDER BY id",
        (json.dumps(list(file_ids)),),
    )
    return list(map(_row, found))


def in_bucket(
    con: sqlite3.Connection, root_id: str, directory: str, bucket: str, owner_id: str
) -> list[Row]:
    """The living files of one directory that may belong together by name; one row per path."""
    found = con.execute(
        f"SELECT {_COLUMNS} FROM media_files WHERE root_id = ? AND source_dir = ? AND bucket = ?"
        f" AND owner_id = ? AND {_ALIVE} ORDER BY id",
        (root_id, os.fsencode(directory), bucket, owner_id),
    )
    return list({row["source_path"]: _row(row) for row in found}.values())


def with_content_ids(
    con: sqlite3.Connection, content_ids: Sequence[str], owner_id: str
) -> list[Row]:
    """The owner's living files with any of these content identifiers, wherever they were found."""
    sharing: list[Row] = []
    for content_id in content_ids:
        found = con.execute(
            f"SELECT {_COLUMNS} FROM media_files WHERE content_id = ? AND owner_id = ?"
            f" AND {_ALIVE} AND state <> 'duplicate' ORDER BY id LIMIT 8",
            (content_id, owner_id),
        )
        sharing.extend(map(_row, found))
    return sharing


def members(con: sqlite3.Connection, bundle_ids: Iterable[str]) -> list[Row]:
    """The living files of these bundles."""
    bundled: list[Row] = []
    for bundle_id in bundle_ids:
        found = con.execute(
            f"SELECT {_COLUMNS} FROM media_files WHERE bundle_id = ? AND {_ALIVE} ORDER BY id",
            (bundle_id,),
        )
        bundled.extend(map(_row, found))
    return bundled


def learn_content_ids(con: sqlite3.Connection, file_ids: Sequence[str]) -> None:
    """Take over the identifiers that visits read into the facts of these files."""
    con.execute(
        "UPDATE media_files SET content_id = json_extract(facts, '$.content_id')"
        " WHERE id IN (SELECT value FROM json_each(?)) AND content_id IS NULL",
        (json.dumps(list(file_ids)),),
    )


def create(
    con: sqlite3.Connection, bundle_id: str, owner_id: str, content_id: str | None, at: str
) -> None:
    """A new bundle without members."""
    con.execute(
        "INSERT INTO bundles (id, owner_id, content_id, created_at) VALUES (?, ?, ?, ?)",
        (bundle_id, owner_id, content_id, at),
    )


def identify(con: sqlite3.Connection, bundle_id: str, content_id: str) -> None:
    """The bundle's identifier became known."""
    con.execute("UPDATE bundles SET content_id = ? WHERE id = ?", (content_id, bundle_id))


def assign(
    con: sqlite3.Connection, file_id: str, bundle_id: str | None, role: BundleRole | None, at: str
) -> None:
    """The file belongs to this bundle now, or to none."""
    con.execute(
        "UPDATE media_files SET bundle_id = ?, bundle_role = ?, updated_at = ? WHERE id = ?",
        (bundle_id, role, at, file_id),
    )


def drop_empty(con: sqlite3.Connection, bundle_ids: Iterable[str]) -> None:
    """Forget those of these bundles that nothing belongs to any more."""
    con.executemany(
        "DELETE FROM bundles WHERE id = ?"
        " AND NOT EXISTS (SELECT 1 FROM media_files WHERE bundle_id = bundles.id)",
        [(bundle_id,) for bundle_id in bundle_ids],
    )


def _row(found: sqlite3.Row) -> Row:
    return Row(
        id=found["id"],
        owner_id=found["owner_id"],
        root_id=found["root_id"],
        directory=os.fsdecode(found["source_dir"]),
        name=os.fsdecode(found["source_path"]).rpartition("/")[2],
        bucket=found["bucket"],
        state=found["state"],
        format=found["format"],
        content_id=found["content_id"],
        taken_at=found["taken_at"],
        taken_from=found["taken_from"],
        duration_s=found["duration_s"],
        bundle_id=found["bundle_id"],
        role=BundleRole(found["bundle_role"]) if found["bundle_role"] else None,
    )
