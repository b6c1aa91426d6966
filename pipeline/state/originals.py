"""The original of what stands for it, and what is known of its content."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from pipeline.model import JsonObject


@dataclass(frozen=True, slots=True)
class Original:
    """An original in the trash, below which `trash_path` is; its smaller copy stands for it."""

    sha256: str
    format: str
    size: int
    trash_path: str


def of(con: sqlite3.Connection, made_sha256: str) -> Original | None:
    """The original that these bytes were made of, for as long as it is in the trash."""
    row = con.execute(
        "SELECT o.sha256, o.format, o.size, t.trash_path FROM renditions r"
        " JOIN media_files o ON o.sha256 = r.sha256 AND o.owner_id = r.owner_id"
        "  AND o.state = 'trashed'"
        " JOIN trash t ON t.file_id = o.id AND t.restored_at IS NULL AND t.purged_at IS NULL"
        " WHERE r.made_sha256 = ? LIMIT 1",
        (made_sha256,),
    ).fetchone()
    return None if row is None else Original(**dict(row))


def facts(con: sqlite3.Connection, sha256: str) -> dict[str, JsonObject]:
    """What visits found in these bytes, by stage, each in its newest version."""
    rows = con.execute(
        "SELECT stage, facts FROM stage_results WHERE sha256 = ? AND outcome = 'done'"
        " ORDER BY version",
        (sha256,),
    )
    return {row["stage"]: json.loads(row["facts"]) for row in rows}
