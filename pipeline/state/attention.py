"""What needs a person: folders that vanished or ask, questions without answer, failed jobs."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass

SHOWN = 20  # of each kind
LATE = 3  # a cache that was told so often in vain
ENOUGH = 1000  # look-alikes are counted no further


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that waits for a person; `kind` says what can be done about it."""

    kind: str  # 'root-offline', 'root-asking', 'people', 'look-alikes', 'job-failed', 'edge-late'
    subject: str  # the root or job; empty where it is about many things
    count: int
    message: str


def needs(con: sqlite3.Connection, owner_id: str, since: str) -> list[Need]:
    """What waits for the owner; of failed jobs only those that ended after `since`."""
    return [
        *_roots(con, owner_id),
        *_questions(con, owner_id),
        *_look_alikes(con, owner_id),
        *_jobs(con, owner_id, since),
        *_edge(con, owner_id),
    ]


def _roots(con: sqlite3.Connection, owner_id: str) -> list[Need]:
    rows = con.execute(
        "SELECT id, path, state, reason FROM roots WHERE owner_id = ? AND state <> 'online'"
        " ORDER BY id LIMIT ?",
        (owner_id, SHOWN),
    )
    return [
        Need(
            f"root-{row['state']}",
            row["id"],
            1,
            f"{os.fsdecode(row['path'])}: {row['reason'] or 'it is not there'}",
        )
        for row in rows
    ]


def _questions(con: sqlite3.Connection, owner_id: str) -> list[Need]:
    count = con.execute(
        "SELECT count(*) FROM people_questions WHERE owner_id = ?", (owner_id,)
    ).fetchone()[0]
    told = "It is not sure whether some people are the same; you can tell."
    return [Need("people", "", count, told)] if count else []


def _look_alikes(con: sqlite3.Connection, owner_id: str) -> list[Need]:
    count = con.execute(
        "SELECT count(*) FROM (SELECT 1 FROM similar s CROSS JOIN media_files f ON f.id = s.file_id"
        " CROSS JOIN media_files o ON o.id = s.other_id WHERE s.decision IS NULL AND f.owner_id = ?"
        " AND f.state IN ('placed', 'done') AND o.state IN ('placed', 'done') LIMIT ?)",
        (owner_id, ENOUGH),
    ).fetchone()[0]
    return [Need("look-alikes", "", count, "Photos that look alike wait for you.")] if count else []


def _jobs(con: sqlite3.Connection, owner_id: str, since: str) -> list[Need]:
    rows = con.execute(
        "SELECT id, job_type, error, error_count FROM processing_jobs WHERE owner_id = ?"
        " AND completed_at > ? AND (status = 'failed' OR error_count > 0)"
        " ORDER BY id DESC LIMIT ?",
        (owner_id, since, SHOWN),
    )
    return [
        Need(
            "job-failed",
            row["id"],
            max(1, row["error_count"]),
            f"{row['job_type']}: {row['error'] or 'some files could not be worked on'}",
        )
        for row in rows
    ]


def _edge(con: sqlite3.Connection, owner_id: str) -> list[Need]:
    row = con.execute(
        "SELECT count(*) AS calls, max(error) AS error FROM edge_calls"
        " WHERE owner_id = ? AND (tries >= ? OR parked_at IS NOT NULL)",
        (owner_id, LATE),
    ).fetchone()
    told = f"The cache before Darkroom still shows what it was told to forget: {row['error']}"
    return [Need("edge-late", "", row["calls"], told)] if row["calls"] else []
