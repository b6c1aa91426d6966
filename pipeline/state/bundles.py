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


@dataclass(frozen=True, slots=True)
class Follower:
    """A file that came along with a duplicate, and the file that was kept instead of that."""

    id: str
    bundle_id: str
    bundle_role: str
    kept_id: str
    kept_bundle_id: str | None
    kept_role: str


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


def positions(con: sqlite3.Connection, file_id: str) -> list[list[float]]:
    """Where the file and what belongs to it were made, each [latitude, longitude]."""
    found = con.execute(
        "SELECT DISTINCT lat, lon FROM media_files WHERE lat IS NOT NULL AND lon IS NOT NULL"
        " AND (id = ?1 OR bundle_id = (SELECT bundle_id FROM media_files WHERE id = ?1))"
        " ORDER BY lat, lon",
        (file_id,),
    )
    return [list(row) for row in found]


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


_FOLLOWERS = """
    SELECT m.id, m.bundle_id, m.bundle_role, k.id AS kept_id, k.bundle_id AS kept_bundle_id,
           d.bundle_role AS kept_role
    FROM media_files m
    JOIN media_files d ON d.bundle_id = m.bundle_id AND d.state = 'duplicate'
    JOIN media_files k ON k.id = d.duplicate_of
     AND k.state IN ('studied', 'placing', 'placed', 'done', 'missing')
    WHERE m.state IN ('placed', 'done') AND m.bundle_id IS NOT k.bundle_id AND m.bundle_id IN
     (SELECT bundle_id FROM media_files WHERE id IN (SELECT value FROM json_each(?)))
    ORDER BY m.id, d.bundle_role = 'primary'"""  # of several twins the primary's is taken


def followers(con: sqlite3.Connection, file_ids: Sequence[str]) -> list[Follower]:
    """Who of these files' bundles came along with a duplicate and is not yet with what was kept."""
    found = con.execute(_FOLLOWERS, (json.dumps(list(file_ids)),))
    return list({row["id"]: Follower(**dict(row)) for row in found}.values())


def follow(con: sqlite3.Connection, found: Iterable[Follower], at: str) -> None:
    """What came along with a duplicate belongs to the file that is kept, from now on."""
    for one in found:
        if one.kept_bundle_id is None:
            assign(con, one.kept_id, one.bundle_id, BundleRole(one.kept_role), at)
        else:
            assign(con, one.id, one.kept_bundle_id, BundleRole(one.bundle_role), at)


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
