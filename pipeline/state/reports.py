"""What a job did, file by file and in sum, as it stands in the state now.

A job's files are the files of its tasks; a file that was known before the job has a task of kind
`known`, so that a second run over the same folder accounts for every source too.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.clock import new_id, timestamp
from pipeline.model import Json

OutcomeName = Literal["placed", "duplicate", "sidecar", "rejected", "failed"]

# What became of a source, from the state of its row. A file known before is a duplicate of itself.
_OUTCOME = """CASE
    WHEN f.state IN ('rejected', 'trashed', 'purged') THEN 'rejected'
    WHEN f.category = 'sidecar' AND f.state IN ('placed', 'done', 'duplicate') THEN 'sidecar'
    WHEN f.state = 'duplicate' THEN 'duplicate'
    WHEN f.state IN ('placed', 'done') AND t.is_known THEN 'duplicate'
    WHEN f.state IN ('placed', 'done') THEN 'placed'
    ELSE 'failed' END"""

_FILES_OF_JOB = """
    SELECT file_id, min(kind = 'known') AS is_known, max(error) AS error
    FROM tasks WHERE job_id = :job AND file_id IS NOT NULL GROUP BY file_id"""


@dataclass(frozen=True, slots=True)
class Totals:
    """A job in sum; bytes are of the sources found and of the files placed."""

    found: int
    placed: int
    duplicates: int
    sidecars: int
    rejected: int
    failed: int
    bytes_in: int
    bytes_placed: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the files of a job are. What is `put_off` failed for now; `why` tells of one.

    A file is `studied` when its visit is over, and `done` when the job has nothing left to do with
    it; bytes are those of the sources.
    """

    owner_id: str
    is_over: bool
    total: int
    studied: int
    done: int
    bytes_total: int
    bytes_studied: int
    bytes_done: int
    errors: int
    put_off: int
    why: str | None


def note_known(con: sqlite3.Connection, job_id: str, file_ids: Sequence[str], at: datetime) -> None:
    """These files were met by the job and known before: they count in its report."""
    stamp = timestamp(at)
    con.executemany(
        "INSERT INTO tasks (id, job_id, file_id, owner_id, kind, priority, status, created_at,"
        " updated_at) SELECT ?, ?, id, owner_id, 'known', 'interactive', 'done', ?, ?"
        " FROM media_files WHERE id = ?",
        [(new_id(at), job_id, stamp, stamp, file_id) for file_id in file_ids],
    )


def totals(con: sqlite3.Connection, job_id: str) -> Totals:
    """The job in sum."""
    found = {
        row["outcome"]: (row["files"], row["bytes"])
        for row in con.execute(
            f"SELECT {_OUTCOME} AS outcome, count(*) AS files, sum(f.size) AS bytes"
            f" FROM ({_FILES_OF_JOB}) t JOIN media_files f ON f.id = t.file_id GROUP BY 1",
            {"job": job_id},
        )
    }

    def files(name: OutcomeName) -> int:
        return int(found.get(name, (0, 0))[0])

    return Totals(
        found=sum(count for count, _ in found.values()),
        placed=files("placed"),
        duplicates=files("duplicate"),
        sidecars=files("sidecar"),
        rejected=files("rejected"),
        failed=files("failed"),
        bytes_in=sum(size for _, size in found.values()),
        bytes_placed=int(found.get("placed", (0, 0))[1]),
    )


def standing(con: sqlite3.Connection, job_id: str) -> Standing | None:
    """How far the job is, counted from the rows; None when there is no such job."""
    job = con.execute(
        "SELECT owner_id, error_count, status NOT IN ('queued', 'running', 'paused') AS is_over"
        " FROM processing_jobs WHERE id = ?",
        (job_id,),
    ).fetchone()
    if job is None:
        return None
    row = con.execute(
        "SELECT count(*) AS total, total(is_studied) AS studied, total(is_done) AS done,"
        " total(f.size) AS bytes_total, total(f.size * is_studied) AS bytes_studied,"
        " total(f.size * is_done) AS bytes_done FROM (SELECT file_id,"
        "  min(status NOT IN ('queued', 'claimed')) AS is_done,"
        "  min(kind = 'place' OR status NOT IN ('queued', 'claimed')) AS is_studied"
        "  FROM tasks WHERE job_id = ? AND file_id IS NOT NULL GROUP BY file_id) t"
        " JOIN media_files f ON f.id = t.file_id",
        (job_id,),
    ).fetchone()
    waiting = con.execute(
        "SELECT max(error) AS why, total(not_before IS NOT NULL AND error IS NOT NULL) AS put_off"
        " FROM tasks WHERE job_id = ? AND status = 'queued' AND error IS NOT NULL",
        (job_id,),
    ).fetchone()
    return Standing(
        owner_id=job["owner_id"],
        is_over=bool(job["is_over"]),
        total=row["total"],
        studied=int(row["studied"]),
        done=int(row["done"]),
        bytes_total=int(row["bytes_total"]),
        bytes_studied=int(row["bytes_studied"]),
        bytes_done=int(row["bytes_done"]),
        errors=job["error_count"],
        put_off=int(waiting["put_off"]),
        why=waiting["why"],
    )


def page(
    con: sqlite3.Connection, job_id: str, after: str = "", limit: int = 500
) -> list[dict[str, Json]]:
    """Up to `limit` report rows of the job after the file id `after`, in id order.

    A duplicate tells the facts of the file it duplicates, since the bytes are the same.
    """
    rows = con.execute(
        f"SELECT f.*, r.path AS root, {_OUTCOME} AS outcome, t.is_known, t.error,"
        " coalesce(o.path, f.path) AS shown_path,"
        " coalesce(o.taken_at, f.taken_at) AS shown_taken_at,"
        " coalesce(o.taken_from, f.taken_from) AS shown_taken_from,"
        " coalesce(o.lat, f.lat) AS shown_lat, coalesce(o.lon, f.lon) AS shown_lon,"
        " coalesce(o.width, f.width) AS shown_width, coalesce(o.height, f.height) AS shown_height,"
        " coalesce(o.orientation, f.orientation) AS shown_orientation,"
        " coalesce(o.duration_s, f.duration_s) AS shown_duration_s,"
        " coalesce(o.camera, f.camera) AS shown_camera,"
        " (SELECT json_group_array(CASE WHEN s.file_id = f.id THEN s.other_id ELSE s.file_id END)"
        "  FROM similar s WHERE (s.file_id = f.id OR s.other_id = f.id)"
        "   AND s.decision IS NOT 'different') AS similar_to,"
        " (SELECT json_group_array(tag) FROM tags WHERE file_id = coalesce(o.id, f.id)"
        "  AND is_removed = 0) AS tags,"
        " (SELECT json_array_length(results, '$.faces') FROM ai_analysis"
        "  WHERE file_id = coalesce(o.id, f.id) AND analysis_type = 'faces') AS faces,"
        " (SELECT json_extract(results, '$.score') FROM ai_analysis"
        "  WHERE file_id = coalesce(o.id, f.id) AND analysis_type = 'quality') AS quality"
        f" FROM ({_FILES_OF_JOB}) t JOIN media_files f ON f.id = t.file_id"
        " JOIN roots r ON r.id = f.root_id LEFT JOIN media_files o ON o.id = f.duplicate_of"
        " WHERE f.id > :after ORDER BY f.id LIMIT :limit",
        {"job": job_id, "after": after, "limit": limit},
    )
    return [_report_row(row) for row in rows]


def _report_row(row: sqlite3.Row) -> dict[str, Json]:
    known = row["id"] if row["outcome"] == "duplicate" and row["is_known"] else None
    return {
        "source": os.path.join(os.fsdecode(row["root"]), os.fsdecode(row["source_path"])),  # noqa: PTH118 - bytes-safe text, never opened here
        "sha256": row["sha256"],
        "outcome": row["outcome"],
        "id": row["id"],
        "path": row["shown_path"],
        "kind": row["category"],
        "mime": row["mime"],
        "taken_at": row["shown_taken_at"],
        "taken_from": row["shown_taken_from"],
        "lat": row["shown_lat"],
        "lon": row["shown_lon"],
        "width": row["shown_width"],
        "height": row["shown_height"],
        "orientation": row["shown_orientation"],
        "duration_s": row["shown_duration_s"],
        "camera": row["shown_camera"],
        "bundle": row["bundle_id"],
        "duplicate_of": row["duplicate_of"] or known,
        "similar_to": json.loads(row["similar_to"]),
        "tags": json.loads(row["tags"]),
        "faces": row["faces"],
        "quality": row["quality"],
        "reason": row["reason"] or row["error"],
    }
