"""Putting a copy in the place of its original: rows for both, and the exchange of what they hold.

The row that people, tags and shares know keeps its id and gets the copy's bytes; the original's
bytes live on under a row of their own, which then goes to the trash like any other. What is not
finished is remembered in the same transactions, so that a start can finish it after a crash.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import Conflict
from pipeline.events import FileReplaced
from pipeline.state import audit, settings

FOLDER = ".renditions"  # of the library root; nothing ever lies there, it only tells rows apart
# What belongs to the bytes of a file and where they are; everything else belongs to the file.
_BYTES = (
    "root_id", "source_path", "source_dir", "bucket", "take", "size", "mtime_ns", "inode",
    "sha256", "format", "category", "mime", "path", "path_key", "width", "height", "placed_at",
)  # fmt: skip
_SHARED = (
    "owner_id", "taken_at", "taken_utc", "taken_from", "taken_confidence", "lat", "lon", "place",
    "orientation", "duration_s", "camera", "lens", "rating", "title", "facts", "found_at",
    "study_mark",
)  # fmt: skip
_UNFINISHED = "replacing"  # settings: by file, what is to be finished
_ALIVE = "('studied', 'placing', 'placed', 'done', 'missing')"


@dataclass(frozen=True, slots=True)
class Copy:
    """The bytes that are to stand for a file."""

    sha256: str
    format: str
    category: str
    mime: str
    size: int
    mtime_ns: int
    inode: int
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A file that something is being put in the place of.

    `other_id` is the row that is to go: until `is_exchanged` the copy's own, from then on that of
    the bytes which lay at `freed` and still do, or are in the trash already.
    """

    file_id: str
    owner_id: str
    other_id: str
    is_exchanged: bool
    freed: str
    job_id: str | None
    actor: str


def row_for(con: sqlite3.Connection, file_id: str, copy: Copy, clock: Clock) -> str:
    """A row, `studied`, for the copy of a file; the one of an interrupted attempt if there is one.

    Raises `Conflict` when the owner has a file with these very bytes already.
    """
    source = os.fsencode(f"{FOLDER}/{file_id}")
    twin = con.execute(
        "SELECT o.id, o.source_path FROM media_files f JOIN media_files o"
        " ON o.owner_id = f.owner_id AND o.sha256 = ? AND o.id <> f.id"
        f" AND o.state IN {_ALIVE} WHERE f.id = ?"
        # Sidecars may say the same of two files.
        " AND (o.category <> 'sidecar' OR o.source_path = ?)",
        (copy.sha256, file_id, source),
    ).fetchone()
    if twin is not None:
        if bytes(twin["source_path"]) == source:
            return str(twin["id"])
        raise Conflict("A file with the bytes of this copy is in the library already.")
    now = clock.now()
    copy_id, at = new_id(now), timestamp(now)
    values = {
        "id": copy_id, "source": source, "folder": os.fsencode(FOLDER), "file": file_id, "at": at,
        **{name: getattr(copy, name) for name in Copy.__dataclass_fields__},
    }  # fmt: skip
    con.execute(
        "INSERT INTO media_files (id, root_id, source_path, source_dir, bucket, take, size,"
        " mtime_ns, inode, state, sha256, format, category, mime, width, height, updated_at,"
        f" {', '.join(_SHARED)}) SELECT :id, (SELECT id FROM roots WHERE kind = 'library'),"
        " :source, :folder, :id, 'copy', :size, :mtime_ns, :inode, 'studied', :sha256, :format,"
        f" :category, :mime, :width, :height, :at, {', '.join(_SHARED)}"
        " FROM media_files WHERE id = :file",
        values,
    )
    return copy_id


def exchange(  # noqa: PLR0913 - who, what, for which job, when
    con: sqlite3.Connection,
    file_id: str,
    copy_id: str,
    *,
    rendition_id: str | None,
    job_id: str | None,
    actor: str,
    at: str,
) -> None:
    """The file gets the copy's bytes, the copy's row the original's; journaled, and told.

    What is known of the content (results, previews) holds for the copy too: it looks the same.
    """
    before = _row(con, file_id)
    _swap(con, file_id, copy_id)
    after = _row(con, file_id)
    con.execute(
        "INSERT OR IGNORE INTO stage_results (sha256, stage, version, outcome, facts, at)"
        " SELECT ?, stage, version, outcome, facts, ? FROM stage_results"
        " WHERE sha256 = ? AND stage <> 'hash'",
        (after["sha256"], at, before["sha256"]),
    )
    con.execute(
        "INSERT OR IGNORE INTO derivatives (sha256, kind, version, path, mime, width, height,"
        " bytes) SELECT ?, kind, version, path, mime, width, height, bytes FROM derivatives"
        " WHERE sha256 = ?",
        (after["sha256"], before["sha256"]),
    )
    con.execute(
        "UPDATE renditions SET original_id = ?, replaced_at = ? WHERE id = ?",
        (copy_id, at, rendition_id),
    )
    if job_id is not None:
        con.execute(
            "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
            " VALUES (lower(hex(randomblob(16))), ?, ?, 'replace', ?, ?, ?)",
            (
                job_id,
                file_id,
                json.dumps({"path": before["path"], "original": copy_id}),
                json.dumps({"path": after["path"], "rendition": rendition_id}),
                at,
            ),
        )
    _remember(con, file_id, copy_id, freed=before["path"], job_id=job_id, actor=actor)
    event = FileReplaced(file_id, before["sha256"], after["sha256"], after["size"])
    told = [{"sha256": one["sha256"], "bytes": one["size"]} for one in (before, after)]
    audit.tell_as(con, actor, event, at, before=told[0], after=told[1])


def exchange_back(
    con: sqlite3.Connection, file_id: str, original_id: str, *, entry_id: str, actor: str, at: str
) -> None:
    """The file has its original's bytes again, and its other row the copy's."""
    before = _row(con, file_id)
    _swap(con, file_id, original_id)
    after = _row(con, file_id)
    con.execute(
        "UPDATE renditions SET original_id = NULL, replaced_at = NULL WHERE original_id = ?",
        (original_id,),
    )
    con.execute("UPDATE journal SET undone_at = ? WHERE id = ?", (at, entry_id))
    _remember(con, file_id, original_id, freed=before["path"], job_id=None, actor=actor)
    event = FileReplaced(file_id, before["sha256"], after["sha256"], after["size"])
    told = [{"sha256": one["sha256"], "bytes": one["size"]} for one in (before, after)]
    audit.tell_as(con, actor, event, at, before=told[0], after=told[1])


def begin(
    con: sqlite3.Connection,
    file_id: str,
    copy: Copy,
    clock: Clock,
    job_id: str | None,
    actor: str,
) -> str:
    """As `row_for`, for a copy that nobody will make again: a start goes on with it."""
    copy_id = row_for(con, file_id, copy, clock)
    _remember(con, file_id, copy_id, freed=None, job_id=job_id, actor=actor)
    return copy_id


def give_up(con: sqlite3.Connection, file_id: str, copy_id: str, at: str) -> None:
    """The copy got no place: nothing of it lies anywhere, and the file is what it was."""
    con.execute(
        "UPDATE media_files SET state = 'rejected', reason = 'It was not finished.',"
        " updated_at = ? WHERE id = ? AND state = 'studied'",
        (at, copy_id),
    )
    finish(con, file_id)


def finish(con: sqlite3.Connection, file_id: str) -> None:
    """Nothing is left to be done about this file."""
    settings.remove(con, f"{_UNFINISHED}.{file_id}")


def unfinished(con: sqlite3.Connection) -> list[Unfinished]:
    """What a crash came into the middle of."""
    rows = con.execute(
        "SELECT s.value, f.id, f.owner_id FROM settings s JOIN media_files f"
        f" ON f.id = substr(s.key, {len(_UNFINISHED) + 2})"
        f" WHERE s.key GLOB '{_UNFINISHED}.*' ORDER BY f.id"
    )
    return [
        Unfinished(file_id=row["id"], owner_id=row["owner_id"], **json.loads(row["value"]))
        for row in rows
    ]


def _remember(
    con: sqlite3.Connection,
    file_id: str,
    other_id: str,
    *,
    freed: str | None,
    job_id: str | None,
    actor: str,
) -> None:
    told = {"other_id": other_id, "is_exchanged": freed is not None, "freed": freed or ""}
    settings.put(con, f"{_UNFINISHED}.{file_id}", told | {"job_id": job_id, "actor": actor})


def _swap(con: sqlite3.Connection, one: str, other: str) -> None:
    first, second = _row(con, one), _row(con, other)
    # Names and contents are unique: both let go before either takes.
    con.execute(
        "UPDATE media_files SET path = NULL, path_key = NULL, sha256 = NULL WHERE id IN (?, ?)",
        (one, other),
    )
    for file_id, taken in ((one, second), (other, first)):
        con.execute(
            f"UPDATE media_files SET {', '.join(f'{name} = ?' for name in _BYTES)} WHERE id = ?",
            (*(taken[name] for name in _BYTES), file_id),
        )


def _row(con: sqlite3.Connection, file_id: str) -> sqlite3.Row:
    row: sqlite3.Row = con.execute("SELECT * FROM media_files WHERE id = ?", (file_id,)).fetchone()
    return row
