"""Files on their way into the library: studied -> placing -> placed -> done.

Every step is a compare-and-set on the state before it, so that two who place the same file cannot
both succeed. Names are unique also for disks that ignore case; a name is free only if no file has
it and none is about to get it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.clock import Clock, new_id, timestamp
from pipeline.events import FileDuplicate, FilePlaced, FileReleased
from pipeline.model import BundleRole, FileState, Json, Root, RootKind, Take
from pipeline.state import events

_HAVE_A_NAME = "('placing', 'placed', 'done', 'missing')"  # as the index media_files_path_key


@dataclass(frozen=True, slots=True)
class File:
    """A file as placing sees it. `source` is below `root`, as the OS gave it."""

    id: str
    bundle_id: str | None
    role: BundleRole | None
    state: FileState
    root: Root
    source: str
    take: Take
    size: int
    mtime_ns: int
    inode: int
    sha256: str | None
    format: str | None
    path: str | None
    twin_path: str | None  # of a duplicate: where the kept file lies
    taken_at: str | None
    make: str | None
    model: str | None
    camera: str | None
    place: str | None
    owner: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A file and the name it is to get; `held` is the name it holds already, when it changes."""

    file_id: str
    sha256: str
    path: str
    key: str
    held: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A file that has its name in the library; `is_released` once its source was let go of."""

    file_id: str
    path: str
    sha256: str
    before: Json  # what the journal needs to put it back
    is_released: bool = False


_SELECT = """
    SELECT f.*, r.path AS root_path, r.kind AS root_kind, r.marker AS root_marker,
           r.owner_id AS root_owner, u.username AS owner,
           CASE f.state WHEN 'duplicate' THEN o.path END AS twin_path,
           json_extract(f.facts, '$.make') AS make, json_extract(f.facts, '$.model') AS model
    FROM media_files f
    JOIN roots r ON r.id = f.root_id
    JOIN users u ON u.id = f.owner_id
    LEFT JOIN media_files o ON o.id = f.duplicate_of
"""


def with_bundles(con: sqlite3.Connection, file_ids: Sequence[str]) -> list[File]:
    """The files, and all that belong to them, by id. Rejected and trashed ones are out of it."""
    ids = json.dumps(list(file_ids))
    rows = con.execute(
        f"{_SELECT} WHERE f.state NOT IN ('rejected', 'trashed', 'purged') AND (f.id IN"
        " (SELECT value FROM json_each(?)) OR f.bundle_id IN (SELECT bundle_id FROM media_files"
        " WHERE bundle_id IS NOT NULL AND id IN (SELECT value FROM json_each(?)))) ORDER BY f.id",
        (ids, ids),
    )
    return [_file(row) for row in rows]


def in_state(con: sqlite3.Connection, state: FileState, after: str, limit: int) -> list[File]:
    """Up to `limit` files in `state` with an id above `after`, by id."""
    rows = con.execute(
        f"{_SELECT} WHERE f.state = ? AND f.id > ? ORDER BY f.id LIMIT ?", (state, after, limit)
    )
    return [_file(row) for row in rows]


def by_ids(con: sqlite3.Connection, file_ids: Sequence[str]) -> list[File]:
    """These files, whatever their state, by id."""
    rows = con.execute(
        f"{_SELECT} WHERE f.id IN (SELECT value FROM json_each(?)) ORDER BY f.id",
        (json.dumps(list(file_ids)),),
    )
    return [_file(row) for row in rows]


def duplicates_in_inbox(con: sqlite3.Connection, limit: int = 500) -> list[File]:
    """Duplicates of placed files whose own source in the inbox was not let go of yet, by id."""
    rows = con.execute(
        f"{_SELECT} WHERE f.duplicate_of IS NOT NULL"  # has an index, the state of these has none
        " AND f.state = 'duplicate' AND f.take = 'move' AND r.kind = 'inbox'"
        " AND o.state IN ('placed', 'done') AND o.path IS NOT NULL AND NOT EXISTS"
        "  (SELECT 1 FROM events WHERE subject = f.id AND name = 'file.released')"
        " ORDER BY +f.id LIMIT ?",
        (limit,),
    )
    return [_file(row) for row in rows]


def is_name_taken(con: sqlite3.Connection, key: str, *, but: str) -> bool:
    """Does a file other than `but` have this name, or is one about to get it?"""
    return (
        con.execute(
            f"SELECT 1 FROM media_files WHERE path_key = ? AND id <> ? AND state IN {_HAVE_A_NAME}"
            " UNION ALL SELECT 1 FROM renames WHERE to_key = ? AND file_id <> ? LIMIT 1",
            (key, but, key, but),
        ).fetchone()
        is not None
    )


def claim(con: sqlite3.Connection, claims: Sequence[Claim], at: str) -> bool:
    """studied -> placing for all members of a bundle, or for none; False when one is elsewhere.

    The names must be free: look with `is_name_taken` in the same transaction.
    """
    con.execute("SAVEPOINT claim")
    for one in claims:
        changed = con.execute(
            "UPDATE media_files SET state = 'placing', path = ?, path_key = ?, updated_at = ?"
            " WHERE id = ? AND sha256 = ? AND CASE WHEN ? IS NULL THEN state = 'studied'"
            " ELSE state = 'placing' AND path = ? END",
            (one.path, one.key, at, one.file_id, one.sha256, one.held, one.held),
        ).rowcount
        if not changed:
            con.execute("ROLLBACK TO claim")
            con.execute("RELEASE claim")
            return False
    con.execute("RELEASE claim")
    return True


def withdraw(con: sqlite3.Connection, file_ids: Iterable[str], at: str) -> None:
    """placing -> studied: nothing of it is in the library, the source is whole."""
    con.executemany(
        "UPDATE media_files SET state = 'studied', path = NULL, path_key = NULL, updated_at = ?"
        " WHERE id = ? AND state = 'placing'",
        [(at, file_id) for file_id in file_ids],
    )


def unplace(con: sqlite3.Connection, file_ids: Iterable[str], at: str) -> None:
    """placed -> studied: the copy is not what it was, the source is whole; it is placed anew."""
    con.executemany(
        "UPDATE media_files SET state = 'studied', path = NULL, path_key = NULL, updated_at = ?"
        " WHERE id = ? AND state = 'placed'",
        [(at, file_id) for file_id in file_ids],
    )


def placed(
    con: sqlite3.Connection, settled: Sequence[Settled], clock: Clock, *, actor: str
) -> None:
    """placing -> placed, with its event and, for a job, its journal."""
    now = clock.now()
    at = timestamp(now)
    for one in settled:
        changed = con.execute(
            "UPDATE media_files SET state = 'placed', placed_at = ?, updated_at = ?"
            " WHERE id = ? AND state = 'placing' AND path = ?",
            (at, at, one.file_id, one.path),
        ).rowcount
        if not changed:
            continue
        events.append(con, FilePlaced(one.file_id, one.path, one.sha256), actor=actor, at=at)
        con.execute(
            "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
            " SELECT ?, job_id, file_id, 'place', ?, ?, ? FROM tasks"
            " WHERE file_id = ? AND status IN ('queued', 'claimed') AND job_id IS NOT NULL LIMIT 1",
            (new_id(now), json.dumps(one.before), json.dumps({"path": one.path}), at, one.file_id),
        )


def done(con: sqlite3.Connection, settled: Sequence[Settled], at: str, *, actor: str) -> None:
    """placed -> done: nothing is left to be let go of."""
    for one in settled:
        changed = con.execute(
            "UPDATE media_files SET state = 'done', updated_at = ?"
            " WHERE id = ? AND state = 'placed'",
            (at, one.file_id),
        ).rowcount
        if changed and one.is_released:
            events.append(con, FileReleased(one.file_id), actor=actor, at=at)


_DIRECTORY = "rtrim({0}.path, replace({0}.path, '/', ''))"  # up to the last slash
_SAME_SIDECAR = f"""
    SELECT side.id, min(same.id) AS twin FROM media_files side
    JOIN media_files mate ON mate.bundle_id = side.bundle_id AND mate.state = 'duplicate'
    JOIN media_files kept ON kept.id = mate.duplicate_of
    JOIN media_files same ON same.sha256 = side.sha256 AND +same.owner_id = side.owner_id
     AND same.category = 'sidecar' AND same.state IN ('placed', 'done') AND same.id <> side.id
     AND {_DIRECTORY.format("same")} = {_DIRECTORY.format("kept")}
    WHERE side.id IN (SELECT value FROM json_each(?)) AND side.state = 'studied'
     AND side.category = 'sidecar' GROUP BY side.id"""


def known_sidecars(
    con: sqlite3.Connection, file_ids: Sequence[str], at: str, *, actor: str
) -> None:
    """studied -> duplicate for sidecars that lie beside the twin of their photo already."""
    for row in con.execute(_SAME_SIDECAR, (json.dumps(list(file_ids)),)).fetchall():
        con.execute(
            "UPDATE media_files SET state = 'duplicate', duplicate_of = ?, updated_at = ?"
            " WHERE id = ?",
            (row["twin"], at, row["id"]),
        )
        events.append(con, FileDuplicate(row["id"], row["twin"]), actor=actor, at=at)


def indexed(con: sqlite3.Connection, file_ids: Iterable[str], at: str) -> None:
    """studied -> done for files that stay where they lie."""
    con.executemany(
        "UPDATE media_files SET state = 'done', updated_at = ?"
        " WHERE id = ? AND state = 'studied' AND take = 'index'",
        [(at, file_id) for file_id in file_ids],
    )


def _file(row: sqlite3.Row) -> File:
    root = Root(
        id=row["root_id"],
        path=Path(os.fsdecode(row["root_path"])),
        kind=RootKind(row["root_kind"]),
        take=Take(row["take"]),  # what holds for this file; the root's own may have changed since
        owner_id=row["root_owner"],
        marker=row["root_marker"],
    )
    return File(
        id=row["id"],
        bundle_id=row["bundle_id"],
        role=BundleRole(row["bundle_role"]) if row["bundle_role"] else None,
        state=FileState(row["state"]),
        root=root,
        source=os.fsdecode(row["source_path"]),
        take=Take(row["take"]),
        size=row["size"],
        mtime_ns=row["mtime_ns"],
        inode=row["inode"],
        sha256=row["sha256"],
        format=row["format"],
        path=row["path"],
        twin_path=row["twin_path"],
        taken_at=row["taken_at"],
        make=row["make"],
        model=row["model"],
        camera=row["camera"],
        place=row["place"],
        owner=row["owner"],
        reason=row["reason"],
    )
