"""What became of each file of a batch, kept for a while so that it can be looked at in pages."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pipeline.model import JsonObject


def keep(
    con: sqlite3.Connection, job_id: str, items: Sequence[JsonObject], at: str, forget_before: str
) -> None:
    """Keep the items of a job, in their order; those of before `forget_before` are forgotten."""
    con.execute("DELETE FROM batch_results WHERE at < ?", (forget_before,))
    con.execute(
        "INSERT OR REPLACE INTO batch_results (job_id, items, at) VALUES (?, ?, ?)",
        (job_id, json.dumps(items), at),
    )


def page(
    con: sqlite3.Connection, job_id: str, owner_id: str, after: int, limit: int
) -> list[JsonObject]:
    """Items of the owner's job from the position `after` on."""
    rows = con.execute(
        "SELECT i.value FROM batch_results b JOIN processing_jobs j ON j.id = b.job_id,"
        " json_each(b.items) i WHERE b.job_id = ? AND j.owner_id = ? AND i.key >= ?"
        " ORDER BY i.key LIMIT ?",
        (job_id, owner_id, after, limit),
    )
    return [json.loads(row["value"]) for row in rows]
