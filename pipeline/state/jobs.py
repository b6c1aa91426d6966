"""Jobs: what a person started or a schedule fired. Their tasks are in `queue.py`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import NotFound
from pipeline.events import JobFinished, JobStarted
from pipeline.model import JsonObject
from pipeline.state import audit, events, queue
from pipeline.state.audit import By

_COLUMNS = (
    "id, job_type, status, progress, file_count, processed_count, error_count, started_at,"
    " completed_at, created_at, owner_id, actor, params, error"
)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of `processing_jobs`."""

    id: str
    job_type: str
    status: str
    progress: float
    file_count: int
    processed_count: int
    error_count: int
    started_at: str | None
    completed_at: str | None
    created_at: str
    owner_id: str
    actor: str
    params: JsonObject
    error: str | None


def begin(con: sqlite3.Connection, by: By, job_id: str, job_type: str, params: JsonObject) -> None:
    """A new job that somebody asks for, running from now; told and audited."""
    owner, label = by.actor.library_id, by.actor.label
    add(con, job_id, job_type, owner_id=owner, actor=label, params=params, at=by.at)
    audit.tell(con, by, JobStarted(job_id, job_type), after={"type": job_type, **params})


def end(
    con: sqlite3.Connection,
    job_id: str,
    status: str,
    at: str,
    *,
    actor: str,
    error: str | None = None,
) -> bool:
    """End a job and tell of it; False when it was over already."""
    is_ended = finish(con, job_id, status, at, error)
    if is_ended:
        events.append(con, JobFinished(job_id, status), actor=actor, at=at)
    return is_ended


def cancel(con: sqlite3.Connection, job_id: str, now: str, at: str, *, actor: str) -> int:
    """Drop what a job has not finished, and end it; how many tasks. `now` is the queue's time."""
    cancelled = queue.cancel_job(con, job_id, now)
    if finish(con, job_id, "cancelled", at):
        told = JobFinished(job_id, "cancelled")
        audit.tell_as(con, actor, told, at, after={"tasks": cancelled})
    return cancelled


def add(  # noqa: PLR0913 - the columns of one statement
    con: sqlite3.Connection,
    job_id: str,
    job_type: str,
    *,
    owner_id: str,
    actor: str,
    params: JsonObject,
    at: str,
) -> None:
    """A new job, running from now."""
    con.execute(
        "INSERT INTO processing_jobs (id, job_type, status, started_at, created_at, owner_id,"
        " actor, params) VALUES (?, ?, 'running', ?, ?, ?, ?, ?)",
        (job_id, job_type, at, at, owner_id, actor, json.dumps(params)),
    )


def finish(
    con: sqlite3.Connection, job_id: str, status: str, at: str, error: str | None = None
) -> bool:
    """End a job that is running or paused; False when it was over already."""
    return (
        con.execute(
            "UPDATE processing_jobs SET status = ?, completed_at = ?, error = ?,"
            " progress = CASE WHEN ? = 'done' THEN 100 ELSE progress END"
            " WHERE id = ? AND status IN ('queued', 'running', 'paused')",
            (status, at, error, status, job_id),
        ).rowcount
        == 1
    )


def count(con: sqlite3.Connection, job_id: str, files: int, errors: int) -> None:
    """How many files a job without tasks has worked on, and how many of them were left."""
    con.execute(
        "UPDATE processing_jobs SET file_count = ?, processed_count = ?, error_count = ?"
        " WHERE id = ?",
        (files, files, errors, job_id),
    )


def set_params(con: sqlite3.Connection, job_id: str, params: JsonObject) -> None:
    """Keep what the job found out about itself."""
    con.execute("UPDATE processing_jobs SET params = ? WHERE id = ?", (json.dumps(params), job_id))


def seconds(job: Job, now: datetime) -> float:
    """How long the job has taken, or took."""
    if job.started_at is None:
        return 0.0
    end = datetime.fromisoformat(job.completed_at) if job.completed_at else now
    return (end - datetime.fromisoformat(job.started_at)).total_seconds()


def pause(con: sqlite3.Connection, job_id: str) -> bool:
    """RUNNING -> PAUSED; False when it was not running."""
    return _switch(con, job_id, "running", "paused")


def resume(con: sqlite3.Connection, job_id: str) -> bool:
    """PAUSED -> RUNNING; False when it was not paused."""
    return _switch(con, job_id, "paused", "running")


def _switch(con: sqlite3.Connection, job_id: str, before: str, after: str) -> bool:
    return (
        con.execute(
            "UPDATE processing_jobs SET status = ? WHERE id = ? AND status = ?",
            (after, job_id, before),
        ).rowcount
        == 1
    )


def set_status(con: sqlite3.Connection, job_id: str, status: str) -> None:
    """Change the status of a job that is over, for instance to `undone`."""
    con.execute("UPDATE processing_jobs SET status = ? WHERE id = ?", (status, job_id))


def get(con: sqlite3.Connection, job_id: str, owner_id: str) -> Job | None:
    """One job of this owner."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM processing_jobs WHERE id = ? AND owner_id = ?",
        (job_id, owner_id),
    ).fetchone()
    return None if row is None else _job(row)


def running(con: sqlite3.Connection, job_types: Sequence[str]) -> list[Job]:
    """Jobs of these types that were started and are not over, oldest first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM processing_jobs WHERE status = 'running'"
        " AND job_type IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json.dumps(list(job_types)),),
    )
    return [_job(row) for row in rows]


def require(con: sqlite3.Connection, job_id: str, owner_id: str) -> Job:
    """As `get`, but raises `NotFound`."""
    job = get(con, job_id, owner_id)
    if job is None:
        raise NotFound(f"There is no job {job_id!r}.", hint="darkroom jobs lists them.")
    return job


def recent(
    con: sqlite3.Connection,
    owner_id: str,
    limit: int,
    *,
    before: str | None = None,
    statuses: Sequence[str] = (),
) -> list[Job]:
    """The owner's jobs, newest first, from below the id `before` on; `statuses` empty: any."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM processing_jobs WHERE owner_id = ?1 AND (?2 IS NULL OR id < ?2)"
        " AND (?3 = '[]' OR status IN (SELECT value FROM json_each(?3))) ORDER BY id DESC LIMIT ?4",
        (owner_id, before, json.dumps(list(statuses)), limit),
    )
    return [_job(row) for row in rows]


def finished(con: sqlite3.Connection, owner_id: str, job_type: str, limit: int) -> list[Job]:
    """The owner's newest jobs of a type that were done and had files."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM processing_jobs WHERE owner_id = ? AND job_type = ?"
        " AND status = 'done' AND file_count > 0 ORDER BY id DESC LIMIT ?",
        (owner_id, job_type, limit),
    )
    return [_job(row) for row in rows]


def within(con: sqlite3.Connection, owner_id: str, since: str, until: str, limit: int) -> list[Job]:
    """The owner's jobs that ran at some time between these two, newest first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM processing_jobs WHERE owner_id = ? AND started_at <= ?"
        " AND (completed_at IS NULL OR completed_at >= ?) ORDER BY id DESC LIMIT ?",
        (owner_id, until, since, limit),
    )
    return [_job(row) for row in rows]


def drained(con: sqlite3.Connection, job_type: str) -> list[Job]:
    """Running jobs of this type that have looked at everything and have no open task left."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM processing_jobs j WHERE status = 'running' AND job_type = ?"
        " AND json_extract(params, '$.ignored') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks t"
        "  WHERE t.job_id = j.id AND t.status IN ('queued', 'claimed'))",
        (job_type,),
    )
    return [_job(row) for row in rows]


def _job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "params": json.loads(row["params"])})
