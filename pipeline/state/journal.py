"""What was done to files, as part of which job, so that it can be undone."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from pipeline.events import JobUndone
from pipeline.model import JsonObject
from pipeline.state import audit


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one file, not undone yet."""

    id: str
    file_id: str
    action: str  # 'place', 'move', 'trash', 'restore', 'retag', 'replace', 'edit', ...
    before: JsonObject
    after: JsonObject


def open_entries(con: sqlite3.Connection, job_id: str, owner_id: str) -> list[Entry]:
    """What the owner's job did and nobody has undone, newest first."""
    rows = con.execute(
        "SELECT n.id, n.file_id, n.action, n.before, n.after FROM journal n"
        " JOIN processing_jobs j ON j.id = n.job_id"
        " WHERE n.job_id = ? AND j.owner_id = ? AND n.undone_at IS NULL"
        " ORDER BY n.at DESC, n.id DESC",
        (job_id, owner_id),
    )
    return [
        Entry(
            row["id"],
            row["file_id"],
            row["action"],
            json.loads(row["before"]),
            json.loads(row["after"]),
        )
        for row in rows
    ]


def job_exists(con: sqlite3.Connection, job_id: str, owner_id: str) -> bool:
    """Is there such a job of this owner?"""
    found = con.execute(
        "SELECT 1 FROM processing_jobs WHERE id = ? AND owner_id = ?", (job_id, owner_id)
    ).fetchone()
    return found is not None


def job_undone(con: sqlite3.Connection, job_id: str, count: int, at: str, *, actor: str) -> None:
    """All that the job did is reversed."""
    changed = con.execute(
        "UPDATE processing_jobs SET status = 'undone', completed_at = coalesce(completed_at, ?)"
        " WHERE id = ? AND status <> 'undone'",
        (at, job_id),
    ).rowcount
    if changed:
        audit.tell_as(con, actor, JobUndone(job_id, count), at, after={"reversed": count})
