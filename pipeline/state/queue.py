"""The durable queue: what is still to be done for which file.

A task is `queued` (ready, or waiting until `not_before`), `claimed` by one boot of the core, or
over. Attempts are counted when a task is claimed, so that work that kills the core is noticed at
the next start. `at` is always time of the queue's own clock, as text (`work.queue.QueueTime`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.clock import new_id, timestamp
from pipeline.model import Priority

CORE_DIED = "CoreDied"
HELD = "9999-12-31T23:59:59.999Z"  # the `not_before` of tasks whose job is paused
_COLUMNS = "id, job_id, file_id, owner_id, kind, priority, attempts, created_at"


@dataclass(frozen=True, slots=True)
class NewTask:
    """What to ask for: at most one open task per file and kind exists."""

    file_id: str
    owner_id: str
    kind: str
    priority: Priority
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One open task. `attempts` counts the claims so far, this one included once claimed."""

    id: str
    job_id: str | None
    file_id: str
    owner_id: str
    kind: str
    priority: Priority
    attempts: int
    created_at: str


@dataclass(frozen=True, slots=True)
class JobCounts:
    """How far a job is."""

    status: str
    files: int
    processed: int
    errors: int
    open_tasks: int


# --- asking ------------------------------------------------------------------------------------


def enqueue(con: sqlite3.Connection, tasks: Iterable[NewTask], at: datetime) -> int:
    """Queue what is not queued already; returns how many are new.

    Asking again for an open task raises its priority where the new one is higher, and lets a job
    adopt a task that belonged to none.
    """
    stamp, new = timestamp(at), 0
    for task in tasks:
        new += _insert(con, task, new_id(at), stamp)
    return new


def _insert(con: sqlite3.Connection, task: NewTask, task_id: str, stamp: str) -> int:
    inserted = con.execute(
        "INSERT INTO tasks (id, job_id, file_id, owner_id, kind, priority, status, created_at,"
        " updated_at, not_before) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, ?7,"
        " (SELECT ?8 FROM processing_jobs WHERE id = ?2 AND status = 'paused'))"
        " ON CONFLICT DO NOTHING",
        (
            task_id,
            task.job_id,
            task.file_id,
            task.owner_id,
            task.kind,
            task.priority,
            stamp,
            HELD,
        ),
    ).rowcount
    if not inserted:
        con.execute(
            "UPDATE tasks SET job_id = coalesce(job_id, ?), priority = CASE"
            " WHEN priority = 'interactive' OR ? = 'interactive' THEN 'interactive'"
            " WHEN priority = 'new' OR ? = 'new' THEN 'new' ELSE 'backfill' END"
            " WHERE file_id = ? AND kind = ? AND status IN ('queued', 'claimed')",
            (task.job_id, task.priority, task.priority, task.file_id, task.kind),
        )
    if inserted and task.job_id is not None:
        con.execute(
            "UPDATE processing_jobs SET file_count = file_count + 1 WHERE id = ?", (task.job_id,)
        )
    return inserted


def take_over(
    con: sqlite3.Connection, job_id: str, file_ids: Iterable[str], at: datetime, boot: str
) -> None:
    """Make `job_id` the job that brings these files to their end, as a cut off one would have.

    Open tasks become its own, and a studied file that nobody places is asked for again. Jobs that
    an earlier `boot` began and that have nothing left to do by that are over; those of this one
    run beside it, and end by themselves.
    """
    stamp = timestamp(at)
    ids = json.dumps(list(file_ids))
    con.execute(
        "INSERT INTO tasks (id, job_id, file_id, owner_id, kind, priority, status, created_at,"
        " updated_at) SELECT hex(randomblob(16)), ?, f.id, f.owner_id, 'place', 'interactive',"
        " 'queued', ?, ? FROM json_each(?) j JOIN media_files f ON f.id = j.value"
        " WHERE f.state = 'studied' AND NOT EXISTS (SELECT 1 FROM tasks t"
        "  WHERE t.file_id = f.id AND t.status IN ('queued', 'claimed'))",
        (job_id, stamp, stamp, ids),
    )
    con.execute(
        "UPDATE tasks SET job_id = ?, priority = 'interactive', not_before = NULL"
        " WHERE file_id IN (SELECT value FROM json_each(?)) AND status IN ('queued', 'claimed')",
        (job_id, ids),
    )
    con.execute(
        "UPDATE processing_jobs SET file_count = (SELECT count(DISTINCT file_id) FROM tasks"
        " WHERE job_id = processing_jobs.id) WHERE id = ?",
        (job_id,),
    )
    con.execute(
        "UPDATE processing_jobs SET status = 'cancelled', completed_at = ?,"
        " error = 'It was cut off; a later run went on with it.'"
        " WHERE status = 'running' AND id < ? AND job_type = (SELECT job_type"
        "  FROM processing_jobs WHERE id = ?) AND NOT EXISTS (SELECT 1 FROM tasks"
        "  WHERE job_id = processing_jobs.id AND status IN ('queued', 'claimed'))",
        (stamp, boot, job_id),
    )


# --- claiming ----------------------------------------------------------------------------------


def wake(con: sqlite3.Connection, at: str) -> int:
    """Make the tasks ready whose wait is over; returns how many."""
    return con.execute(
        "UPDATE tasks SET not_before = NULL"
        " WHERE status = 'queued' AND not_before IS NOT NULL AND not_before <= ?",
        (at,),
    ).rowcount


def next_wake(con: sqlite3.Connection) -> str | None:
    """When the next waiting task becomes ready."""
    row = con.execute(
        "SELECT min(not_before) FROM tasks WHERE status = 'queued' AND not_before IS NOT NULL"
    ).fetchone()
    return None if row[0] is None else str(row[0])


def owners(con: sqlite3.Connection) -> list[str]:
    """Everybody who may have tasks."""
    return [row[0] for row in con.execute("SELECT id FROM users ORDER BY id")]


def ready(
    con: sqlite3.Connection, priority: Priority, owner_id: str, kinds: Sequence[str]
) -> Iterator[Task]:
    """The ready tasks of one owner, priority and these kinds, oldest first, read as asked for."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM tasks WHERE status = 'queued' AND not_before IS NULL"
        " AND priority = ? AND owner_id = ? AND kind IN (SELECT value FROM json_each(?))"
        " ORDER BY id",
        (priority, owner_id, json.dumps(list(kinds))),
    )
    return map(_task, rows)


def take(con: sqlite3.Connection, task_ids: Sequence[str], boot: str, at: str) -> None:
    """Claim these tasks for this boot and count the attempt."""
    con.executemany(
        "UPDATE tasks SET status = 'claimed', attempts = attempts + 1, leased_by = ?,"
        " error_class = NULL, updated_at = ? WHERE id = ? AND status = 'queued'",
        [(boot, at, task_id) for task_id in task_ids],
    )


# --- ending ------------------------------------------------------------------------------------


def hand_on(
    con: sqlite3.Connection, task_id: str, kind: str, not_before: str | None, at: str
) -> bool:
    """A claimed task goes on as another kind: still claimed, or waiting until `not_before`.

    False when the task was cancelled meanwhile.
    """
    changed = con.execute(
        "UPDATE tasks SET kind = :kind, attempts = 1, not_before = :until, updated_at = :at,"
        " status = iif(:until IS NULL, 'claimed', 'queued'),"
        " leased_by = iif(:until IS NULL, leased_by, NULL)"
        " WHERE id = :id AND status = 'claimed'",
        {"kind": kind, "until": not_before, "at": at, "id": task_id},
    ).rowcount
    return changed == 1


def wake_placing(con: sqlite3.Connection, file_id: str) -> None:
    """Something was settled about this file: those of its neighbourhood that wait, look again."""
    con.execute(
        "UPDATE tasks SET not_before = NULL WHERE status = 'queued' AND kind = 'place'"
        " AND not_before IS NOT NULL AND not_before <> :held AND file_id IN ("
        " SELECT n.id FROM media_files f JOIN media_files n ON n.root_id = f.root_id"
        "  AND n.source_dir = f.source_dir AND n.bucket = f.bucket WHERE f.id = :id"
        " UNION SELECT n.id FROM media_files f JOIN media_files n ON n.bundle_id = f.bundle_id"
        "  WHERE f.id = :id)",
        {"id": file_id, "held": HELD},
    )


def finish_placing(con: sqlite3.Connection, task_id: str, file_id: str, at: str) -> None:
    """The file's bundle has its place: its task is done, and so are those of the other members."""
    finish(con, task_id, at)
    mates = con.execute(
        "SELECT t.id FROM media_files f JOIN media_files m ON m.bundle_id = f.bundle_id"
        " JOIN tasks t ON t.file_id = m.id AND t.kind = 'place'"
        "  AND t.status IN ('queued', 'claimed')"
        " WHERE f.id = ? AND m.state NOT IN ('found', 'studied')",
        (file_id,),
    ).fetchall()
    for mate in mates:
        finish(con, mate["id"], at)


def look_again(con: sqlite3.Connection, task_id: str, not_before: str, at: str) -> None:
    """A placing found other bytes than the visit read: the file is visited anew."""
    con.execute(
        "UPDATE tasks SET kind = 'visit', status = 'queued', leased_by = NULL, attempts = 0,"
        " not_before = ?, updated_at = ? WHERE id = ? AND status = 'claimed'",
        (not_before, at, task_id),
    )


def finish(con: sqlite3.Connection, task_id: str, at: str) -> None:
    """The task is done."""
    _end(con, task_id, "done", None, None, at)


def fail(con: sqlite3.Connection, task_id: str, error_class: str, error: str, at: str) -> None:
    """The task is over without success; its job counts an error."""
    _end(con, task_id, "failed", error_class, error, at)


def _end(
    con: sqlite3.Connection,
    task_id: str,
    status: str,
    error_class: str | None,
    error: str | None,
    at: str,
) -> None:
    row = con.execute(
        "UPDATE tasks SET status = ?, error_class = ?, error = ?, leased_by = NULL, updated_at = ?"
        " WHERE id = ? AND status IN ('queued', 'claimed') RETURNING job_id",
        (status, error_class, error, at, task_id),
    ).fetchone()
    if row is not None and row["job_id"] is not None:
        con.execute(
            "UPDATE processing_jobs SET processed_count = processed_count + 1,"
            " error_count = error_count + ?,"
            " progress = min(100.0, 100.0 * (processed_count + 1) / max(file_count, 1))"
            " WHERE id = ?",
            (int(status == "failed"), row["job_id"]),
        )


def retry(  # noqa: PLR0913 - the columns of one statement
    con: sqlite3.Connection,
    task_id: str,
    not_before: str | None,
    error_class: str,
    error: str,
    *,
    at: str,
    is_blameless: bool = False,
) -> None:
    """Back into the queue until `not_before`; a blameless attempt is not counted."""
    con.execute(
        "UPDATE tasks SET status = 'queued', leased_by = NULL, not_before = coalesce((SELECT ?"
        "  FROM processing_jobs j WHERE j.id = tasks.job_id AND j.status = 'paused'), ?),"
        " error_class = ?, error = ?, attempts = max(0, attempts - ?), updated_at = ?"
        " WHERE id = ? AND status = 'claimed'",
        (HELD, not_before, error_class, error, int(is_blameless), at, task_id),
    )


def give_back(con: sqlite3.Connection, boot: str, at: str) -> int:
    """Return everything this boot still holds, uncounted: the core is closing in good order."""
    return con.execute(
        "UPDATE tasks SET status = 'queued', leased_by = NULL, attempts = max(0, attempts - 1),"
        " updated_at = ? WHERE status = 'claimed' AND leased_by = ?",
        (at, boot),
    ).rowcount


def cancel_job(con: sqlite3.Connection, job_id: str, at: str) -> int:
    """Cancel what a job has not finished; a placing that has begun is let run out."""
    return con.execute(
        "UPDATE tasks SET status = 'cancelled', leased_by = NULL, updated_at = ? WHERE job_id = ?"
        " AND (status = 'queued' OR (status = 'claimed' AND kind <> 'place'))",
        (at, job_id),
    ).rowcount


# --- after a start -----------------------------------------------------------------------------


def recover(con: sqlite3.Connection, boot: str, at: str) -> list[Task]:
    """Take back what earlier boots had claimed and end every wait.

    Returns the visits among them: each may be what killed the core, and should be tried alone.
    Waits end because the clock they were measured by ended with its boot.
    """
    con.execute(
        "UPDATE tasks SET not_before = NULL WHERE status = 'queued' AND not_before <> ?", (HELD,)
    )
    rows = con.execute(
        "UPDATE tasks SET status = 'queued', leased_by = NULL, not_before = NULL,"
        " error_class = ?, updated_at = ?"
        f" WHERE status = 'claimed' AND leased_by <> ? RETURNING {_COLUMNS}",
        (CORE_DIED, at, boot),
    ).fetchall()
    return [_task(row) for row in rows if row["kind"] == "visit"]


def _task(row: sqlite3.Row) -> Task:
    return Task(
        id=row["id"],
        job_id=row["job_id"],
        file_id=row["file_id"],
        owner_id=row["owner_id"],
        kind=row["kind"],
        priority=Priority(row["priority"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
    )


# --- looking -----------------------------------------------------------------------------------


def job_counts(con: sqlite3.Connection, job_id: str) -> JobCounts | None:
    """How far the job is; None when there is no such job."""
    row = con.execute(
        "SELECT status, file_count, processed_count, error_count, (SELECT count(*) FROM tasks"
        " WHERE job_id = :job AND status IN ('queued', 'claimed')) AS open_tasks"
        " FROM processing_jobs WHERE id = :job",
        {"job": job_id},
    ).fetchone()
    if row is None:
        return None
    return JobCounts(
        row["status"],
        row["file_count"],
        row["processed_count"],
        row["error_count"],
        row["open_tasks"],
    )


def is_open(con: sqlite3.Connection, job_id: str) -> bool:
    """Has the job a task that is queued or claimed? Counts none, however many there are."""
    row = con.execute(
        "SELECT EXISTS (SELECT 1 FROM tasks WHERE job_id = ? AND status IN ('queued', 'claimed'))",
        (job_id,),
    ).fetchone()
    return bool(row[0])


def open_count(con: sqlite3.Connection) -> int:
    """How many tasks are queued or claimed."""
    row = con.execute("SELECT count(*) FROM tasks WHERE status IN ('queued', 'claimed')").fetchone()
    return int(row[0])
