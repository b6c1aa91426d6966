"""Renames inside the home: decided and committed before they are done, recorded after.

A rename that was decided but not recorded is found at the next start and finished, or taken back.
While it is pending its new name counts as taken.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.clock import Clock, new_id, timestamp
from pipeline.events import Event, FileMoved, FileRestored, FileTrashed
from pipeline.model import FileState, Json, JsonObject
from pipeline.state import audit

Action = Literal["move", "trash", "restore"]
_BEFORE = {"move": FileState.DONE, "trash": FileState.DONE, "restore": FileState.TRASHED}
_ALIVE = "('studied', 'placing', 'placed', 'done', 'missing')"  # as the index media_files_content


@dataclass(frozen=True, slots=True)
class Rename:
    """One file's rename. Paths are below the library, or below the trash on its side of it."""

    file_id: str
    action: Action
    from_path: str
    to_path: str
    to_key: str | None  # of a name in the library
    details: JsonObject  # actor, job, reason, by_person, purge_after, undoes


@dataclass(frozen=True, slots=True)
class Member:
    """A file that can be renamed, or a reason to refuse."""

    id: str
    bundle_id: str | None
    state: FileState
    path: str | None  # below the library
    trash_path: str | None  # below the trash
    origin_path: str | None  # where the trashed file was
    size: int


def with_bundles(con: sqlite3.Connection, file_ids: Sequence[str], owner_id: str) -> list[Member]:
    """The owner's files and all that belong to them, by id."""
    ids = json.dumps(list(file_ids))
    rows = con.execute(
        "SELECT f.id, f.bundle_id, f.state, f.path, t.trash_path, t.origin_path, f.size"
        " FROM media_files f LEFT JOIN trash t ON t.file_id = f.id AND t.restored_at IS NULL"
        " AND t.purged_at IS NULL"
        " WHERE f.owner_id = ? AND (f.id IN (SELECT value FROM json_each(?))"
        " OR f.bundle_id IN (SELECT bundle_id FROM media_files WHERE bundle_id IS NOT NULL"
        " AND id IN (SELECT value FROM json_each(?)))) ORDER BY f.id",
        (owner_id, ids, ids),
    )
    return [Member(**{**dict(row), "state": FileState(row["state"])}) for row in rows]


def decide(con: sqlite3.Connection, unit: Sequence[Rename], at: str) -> bool:
    """Write down what is going to happen to a bundle; False when a member is not what it was."""
    if not all(_can_be(con, one) for one in unit):
        return False
    con.executemany(
        "INSERT INTO renames (file_id, action, from_path, to_path, to_key, details, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (r.file_id, r.action, r.from_path, r.to_path, r.to_key, json.dumps(r.details), at)
            for r in unit
        ],
    )
    return True


def pending(con: sqlite3.Connection) -> list[Rename]:
    """What was decided and is not recorded yet."""
    rows = con.execute(
        "SELECT file_id, action, from_path, to_path, to_key, details FROM renames ORDER BY file_id"
    )
    return [Rename(**{**dict(row), "details": json.loads(row["details"])}) for row in rows]


def cancel(con: sqlite3.Connection, file_ids: Iterable[str]) -> None:
    """These renames did not happen."""
    con.executemany("DELETE FROM renames WHERE file_id = ?", [(id,) for id in file_ids])


def record(con: sqlite3.Connection, unit: Sequence[Rename], clock: Clock) -> None:
    """These renames have happened: rows, event and journal, and they are no longer pending.

    Raises `sqlite3.IntegrityError` when the state cannot agree, for instance because the content
    was taken in anew meanwhile; then nothing is changed.
    """
    now = clock.now()
    at = timestamp(now)
    for one in unit:
        _RECORD[one.action](con, one, at)
        undoes = one.details.get("undoes")
        if undoes:
            con.execute("UPDATE journal SET undone_at = ? WHERE id = ?", (at, undoes))
        elif one.details.get("job"):
            _journal(con, one, new_id(now), at)
    cancel(con, [one.file_id for one in unit])


def _can_be(con: sqlite3.Connection, one: Rename) -> bool:
    row = con.execute(
        "SELECT path FROM media_files WHERE id = ? AND state = ?"
        " AND NOT EXISTS (SELECT 1 FROM renames WHERE file_id = media_files.id)",
        (one.file_id, _BEFORE[one.action]),
    ).fetchone()
    if row is None:
        return False
    if one.action == "restore":
        return not _has_living_twin(con, one.file_id)
    return bool(row["path"] == one.from_path)


def _has_living_twin(con: sqlite3.Connection, file_id: str) -> bool:
    return (
        con.execute(
            "SELECT 1 FROM media_files f JOIN media_files o ON o.sha256 = f.sha256"
            " AND o.owner_id = f.owner_id AND o.id <> f.id WHERE f.id = ?"
            f" AND o.state IN {_ALIVE} AND f.category <> 'sidecar' AND o.category <> 'sidecar'",
            (file_id,),
        ).fetchone()
        is not None
    )


def _moved(con: sqlite3.Connection, one: Rename, at: str) -> None:
    con.execute(
        "UPDATE media_files SET path = ?, path_key = ?, updated_at = ? WHERE id = ?",
        (one.to_path, one.to_key, at, one.file_id),
    )
    event = FileMoved(one.file_id, one.from_path, one.to_path)
    _tell(con, one, event, at, {"path": one.from_path}, {"path": one.to_path})


def _trashed(con: sqlite3.Connection, one: Rename, at: str) -> None:
    details = one.details
    con.execute(
        "INSERT INTO trash (id, file_id, root_id, trash_path, origin_path, reason, actor,"
        " by_person, at, purge_after) SELECT ?, id, root_id, ?, ?, ?, ?, ?, ?, ?"
        " FROM media_files WHERE id = ?",
        (
            details["trash_id"],
            one.to_path,
            one.from_path,
            details["reason"],
            details["actor"],
            int(bool(details["by_person"])),
            at,
            details["purge_after"],
            one.file_id,
        ),
    )
    con.execute(
        "UPDATE media_files SET state = 'trashed', path = NULL, path_key = NULL, updated_at = ?"
        " WHERE id = ?",
        (at, one.file_id),
    )
    event = FileTrashed(one.file_id, str(details["reason"]))
    _tell(con, one, event, at, {"path": one.from_path}, {"reason": details["reason"]})


def _restored(con: sqlite3.Connection, one: Rename, at: str) -> None:
    con.execute(
        "UPDATE trash SET restored_at = ? WHERE file_id = ? AND restored_at IS NULL"
        " AND purged_at IS NULL",
        (at, one.file_id),
    )
    con.execute(
        "UPDATE media_files SET state = 'done', path = ?, path_key = ?, updated_at = ?"
        " WHERE id = ?",
        (one.to_path, one.to_key, at, one.file_id),
    )
    event = FileRestored(one.file_id, one.to_path)
    _tell(con, one, event, at, None, {"path": one.to_path})


def _tell(
    con: sqlite3.Connection,
    one: Rename,
    event: Event,
    at: str,
    before: JsonObject | None,
    after: JsonObject,
) -> None:
    audit.tell_as(con, str(one.details["actor"]), event, at, before=before, after=after)


def _journal(con: sqlite3.Connection, one: Rename, entry_id: str, at: str) -> None:
    before: Json = {"path": one.from_path}
    after: Json = {"path": one.to_path}
    con.execute(
        "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            entry_id,
            one.details["job"],
            one.file_id,
            one.action,
            json.dumps(before),
            json.dumps(after),
            at,
        ),
    )


_RECORD = {"move": _moved, "trash": _trashed, "restore": _restored}
