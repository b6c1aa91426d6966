"""Files of the library as work that is asked for later sees them, and which of them are due.

A file's `study_mark` names the stages it was studied with; when the program learns a new stage, or
a model arrives, the marks of all files differ from the newest one and they are looked at again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.model import BundleRole, Category, JsonObject, Priority
from pipeline.state import queue
from pipeline.state.queue import NewTask

_IN_PLACE = "f.sha256 IS NOT NULL AND f.state IN ('placed', 'done')"


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """A file that lies where Darkroom put it, or where it only indexed it. `location` is whole."""

    id: str
    owner_id: str
    root_id: str  # the root it lies in now
    location: Path
    sha256: str
    format: str
    category: Category
    bundle_id: str | None
    role: BundleRole | None
    size: int


def files(
    con: sqlite3.Connection, file_ids: Iterable[str], library: Path
) -> dict[str, LibraryFile]:
    """Those of the files that lie in the library or are indexed, by id."""
    rows = con.execute(
        "SELECT f.id, f.owner_id, f.path, f.source_path, f.sha256, f.format, f.category,"
        " f.bundle_id, f.bundle_role, f.size, r.path AS root, iif(f.path IS NULL, r.id,"
        " (SELECT id FROM roots WHERE kind = 'library')) AS root_id"
        " FROM media_files f JOIN roots r ON r.id = f.root_id"
        f" WHERE f.id IN (SELECT value FROM json_each(?)) AND {_IN_PLACE}",
        (json.dumps(list(file_ids)),),
    )
    return {row["id"]: _library_file(row, library) for row in rows}


def _library_file(row: sqlite3.Row, library: Path) -> LibraryFile:
    if row["path"] is not None:
        location = library / row["path"]
    else:
        location = Path(os.fsdecode(row["root"])) / os.fsdecode(row["source_path"])
    role = row["bundle_role"]
    return LibraryFile(
        id=row["id"],
        owner_id=row["owner_id"],
        root_id=row["root_id"],
        location=location,
        sha256=row["sha256"],
        format=row["format"],
        category=Category(row["category"]),
        bundle_id=row["bundle_id"],
        role=None if role is None else BundleRole(role),
        size=row["size"],
    )


def mark(con: sqlite3.Connection, file_ids: Iterable[str], study_mark: str) -> None:
    """Note with which stages these files were studied."""
    con.execute(
        "UPDATE media_files SET study_mark = ? WHERE id IN (SELECT value FROM json_each(?))",
        (study_mark, json.dumps(list(file_ids))),
    )


def behind(con: sqlite3.Connection, owner_id: str, study_mark: str) -> list[str]:
    """The owner's files in place that were studied with other stages than the mark stands for."""
    rows = con.execute(
        f"SELECT f.id FROM media_files f WHERE f.owner_id = ? AND {_IN_PLACE}"
        " AND f.study_mark IS NOT ? AND f.category <> 'sidecar' ORDER BY f.id",
        (owner_id, study_mark),
    )
    return [row["id"] for row in rows]


def enqueue_behind(con: sqlite3.Connection, kind: str, study_mark: str, at: datetime) -> int:
    """Queue, as backfill, every such file of everybody; how many."""
    return queue.enqueue(
        con,
        (
            NewTask(file_id, owner_id, kind, Priority.BACKFILL)
            for owner_id in queue.owners(con)
            for file_id in behind(con, owner_id, study_mark)
        ),
        at,
    )


def failures(con: sqlite3.Connection, job_id: str) -> dict[str, str]:
    """Why the job got nowhere with a file, by file."""
    rows = con.execute(
        "SELECT file_id, error FROM tasks WHERE job_id = ? AND status = 'failed'", (job_id,)
    )
    return {row["file_id"]: row["error"] or "It failed." for row in rows}


@dataclass(frozen=True, slots=True)
class Try:
    """Work asked for over a file: under way, or failed with this error."""

    error: str | None


def last(
    con: sqlite3.Connection, file_id: str, kind: str, params: JsonObject, since: str
) -> Try | None:
    """The newest try of a job with these parameters that is under way, or failed after `since`."""
    row = con.execute(
        "SELECT t.status, t.error FROM tasks t JOIN processing_jobs j ON j.id = t.job_id"
        " WHERE t.file_id = ? AND t.kind = ? AND j.params = ?"
        " AND (t.status IN ('queued', 'claimed') OR t.status = 'failed' AND t.updated_at > ?)"
        " ORDER BY t.id DESC LIMIT 1",
        (file_id, kind, json.dumps(params), since),
    ).fetchone()
    if row is None:
        return None
    return Try((row["error"] or "It failed.") if row["status"] == "failed" else None)


def enqueue_job(
    con: sqlite3.Connection,
    job_id: str,
    kind: str,
    wanted: Sequence[tuple[str, str]],
    at: datetime,
) -> list[str]:
    """Queue this work over files given as (id, owner) for a job.

    Returns the ids of those that another job is already doing the same to; they are left to it.
    """
    tasks = {
        file_id: NewTask(file_id, owner_id, kind, Priority.INTERACTIVE, job_id)
        for file_id, owner_id in wanted
    }
    busy = con.execute(
        "SELECT file_id FROM tasks WHERE kind = ? AND status IN ('queued', 'claimed')"
        " AND job_id IS NOT NULL AND file_id IN (SELECT value FROM json_each(?))",
        (kind, json.dumps(list(tasks))),
    ).fetchall()
    taken = [row["file_id"] for row in busy]
    queue.enqueue(con, (task for id, task in tasks.items() if id not in set(taken)), at)
    return taken
