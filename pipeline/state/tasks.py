"""The tasks of one job: looking at them page by page, and steering those that are not done.

A job that is paused keeps its tasks in the queue, held until it goes on; what was claimed before
is brought to its end.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass

from pipeline.model import Priority
from pipeline.state.queue import HELD


@dataclass(frozen=True, slots=True)
class JobTask:
    """One task of a job, with the name of its file."""

    id: str
    file_id: str
    name: str
    size: int
    kind: str
    status: str
    attempts: int
    error: str | None
    updated_at: str


def of_job(
    con: sqlite3.Connection,
    job_id: str,
    *,
    after: str = "",
    limit: int = 100,
    only_failed: bool = False,
) -> list[JobTask]:
    """Up to `limit` tasks of the job behind the task `after`, in order of their ids."""
    rows = con.execute(
        "SELECT t.id, t.file_id, f.source_path, f.size, t.kind, t.status, t.attempts, t.error,"
        " t.updated_at FROM tasks t JOIN media_files f ON f.id = t.file_id"
        " WHERE t.job_id = ? AND t.id > ? AND (NOT ? OR t.status = 'failed')"
        " ORDER BY t.id LIMIT ?",
        (job_id, after, only_failed, limit),
    )
    return [_task(row) for row in rows]


def hold(con: sqlite3.Connection, job_id: str) -> int:
    """Let nothing more of the job be claimed; how many tasks that holds back."""
    return con.execute(
        "UPDATE tasks SET not_before = ? WHERE job_id = ? AND status = 'queued'", (HELD, job_id)
    ).rowcount


def let_go(con: sqlite3.Connection, job_id: str) -> int:
    """Let what was held be claimed again."""
    return con.execute(
        "UPDATE tasks SET not_before = NULL WHERE job_id = ? AND status = 'queued'"
        " AND not_before = ?",
        (job_id, HELD),
    ).rowcount


def retry_failed(con: sqlite3.Connection, job_id: str, at: str) -> int:
    """Queue again what failed and may still be worked on; how many tasks that are.

    A file that was rejected is not: its bytes are bad, and trying again would say the same.
    """
    ids = [
        row["id"]
        for row in con.execute(
            "SELECT t.id FROM tasks t JOIN media_files f ON f.id = t.file_id"
            " WHERE t.job_id = ? AND t.status = 'failed'"
            " AND f.state NOT IN ('rejected', 'trashed', 'purged')"
            " AND NOT EXISTS (SELECT 1 FROM tasks o WHERE o.file_id = t.file_id"
            "  AND o.kind = t.kind AND o.status IN ('queued', 'claimed'))",
            (job_id,),
        )
    ]
    con.executemany(
        "UPDATE tasks SET status = 'queued', attempts = 0, not_before = NULL, error = NULL,"
        " error_class = NULL, updated_at = ? WHERE id = ?",
        [(at, task_id) for task_id in ids],
    )
    if ids:
        con.execute(
            "UPDATE processing_jobs SET status = 'running', completed_at = NULL, error = NULL,"
            " processed_count = max(0, processed_count - ?), error_count = max(0, error_count - ?),"
            " progress = 100.0 * max(0, processed_count - ?) / max(file_count, 1) WHERE id = ?",
            (len(ids), len(ids), len(ids), job_id),
        )
    return len(ids)


def prioritise(con: sqlite3.Connection, job_id: str, priority: Priority) -> int:
    """Give what is queued of the job this priority; how many tasks that are."""
    return con.execute(
        "UPDATE tasks SET priority = ? WHERE job_id = ? AND status = 'queued'", (priority, job_id)
    ).rowcount


def _task(row: sqlite3.Row) -> JobTask:
    path = os.fsdecode(row["source_path"]).encode("utf-8", "replace").decode()
    return JobTask(
        id=row["id"],
        file_id=row["file_id"],
        name=path.rpartition("/")[2],
        size=row["size"],
        kind=row["kind"],
        status=row["status"],
        attempts=row["attempts"],
        error=row["error"],
        updated_at=row["updated_at"],
    )
