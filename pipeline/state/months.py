"""The library by month: how much there is in each, and what one of them holds, newest first.

Sidecars, Live Photos' films and what is not in the library are not shown; the schema says what is,
and keeps the sums, so that both answers cost the same for a thousand files and for a million.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

UNDATED = ""


@dataclass(frozen=True, slots=True)
class Month:
    """One month of UTC as `YYYY-MM`, or `UNDATED`: its files, and the sum of their width/height."""

    month: str
    files: int
    ratios: float


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture or film of the grid; `ratio` is width/height as it is shown."""

    id: str
    taken_utc: str
    category: str
    ratio: float
    duration_s: float | None
    sha256: str | None  # None: there is no thumbnail of it


def months(con: sqlite3.Connection, owner_id: str) -> list[Month]:
    """Every month that has something to show, newest first, the undated last."""
    rows = con.execute(
        "SELECT month, files, ratios FROM shown_months WHERE owner_id = ? AND files > 0"
        " ORDER BY month DESC",
        (owner_id,),
    )
    return [Month(row["month"], row["files"], row["ratios"] / 1000) for row in rows]


def tiles(
    con: sqlite3.Connection,
    owner_id: str,
    month: str,
    limit: int,
    before: tuple[str, str] | None = None,
) -> list[Tile]:
    """What a month holds, newest first; `before` is the time and id of the last one seen."""
    taken, last_id = before or ("~", "")
    rows = con.execute(
        "SELECT id, coalesce(taken_utc, '') AS taken_utc, category, shown_ratio, duration_s,"
        " CASE WHEN EXISTS (SELECT 1 FROM derivatives d WHERE d.sha256 = media_files.sha256"
        " AND d.kind = 'thumbnail') THEN sha256 END AS sha256"
        " FROM media_files INDEXED BY media_files_shown"
        " WHERE owner_id = ? AND shown_month = ? AND (coalesce(taken_utc, ''), id) < (?, ?)"
        " ORDER BY coalesce(taken_utc, '') DESC, id DESC LIMIT ?",
        (owner_id, month, taken, last_id, limit),
    )
    return [
        Tile(
            row["id"],
            row["taken_utc"],
            row["category"],
            row["shown_ratio"] / 1000,
            row["duration_s"],
            row["sha256"],
        )
        for row in rows
    ]
