"""Spans: which file was visited when, in which slot, for how long, and each stage of the visit.

One compact row per visit, written with the change that the visit led to. They are kept for a
while, for looking at: nothing is decided by them. Every question names whose files it is about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

KEEP_US = 30 * 24 * 3600 * 1_000_000
KEEP_ROWS = 100_000
LONGEST_MS = 24 * 3600 * 1000  # no span is looked for that ended longer after a window than this

_COLUMNS = (
    "ended_us, began_ms, job_id, task_id, file_id, kind, slot, cpu_ms, bytes, outcome, stages"
)


@dataclass(frozen=True, slots=True)
class StageSpan:
    """One stage of a visit; `start_ms` counts from the visit's beginning."""

    stage: str
    start_ms: int
    wall_ms: int
    cpu_ms: int
    outcome: str  # 'done', 'skip', 'later' or 'reject'


@dataclass(frozen=True, slots=True)
class NewSpan:
    """A visit that is over; times are unix milliseconds."""

    began_ms: int
    ended_ms: int
    job_id: str | None
    task_id: str
    file_id: str
    owner_id: str
    kind: str
    slot: int
    cpu_ms: int
    bytes: int
    outcome: str
    stages: tuple[StageSpan, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A visit as it is kept; `id` grows with the time of its end."""

    id: int
    began_ms: int
    ended_ms: int
    job_id: str | None
    task_id: str
    file_id: str
    kind: str
    slot: int
    cpu_ms: int
    bytes: int
    outcome: str
    stages: tuple[StageSpan, ...]


def add(con: sqlite3.Connection, spans: Iterable[NewSpan]) -> None:
    """Keep these visits, as part of the caller's transaction."""
    con.executemany(
        "INSERT INTO spans (ended_us, began_ms, job_id, task_id, file_id, owner_id, kind, slot,"
        " cpu_ms, bytes, outcome, stages) VALUES (max(?, (SELECT coalesce(max(ended_us), 0) + 1"
        " FROM spans)), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.ended_ms * 1000,
                one.began_ms,
                one.job_id,
                one.task_id,
                one.file_id,
                one.owner_id,
                one.kind,
                one.slot,
                one.cpu_ms,
                one.bytes,
                one.outcome,
                ";".join(map(_packed, one.stages)),
            )
            for one in spans
        ],
    )


def within(
    con: sqlite3.Connection,
    owner_id: str,
    window: tuple[int, int],
    *,
    job_id: str | None = None,
    after: int = 0,
    limit: int = 1000,
) -> list[Span]:
    """The owner's visits that overlap `window` (unix milliseconds, from and to), by their end.

    `after` is the id to go on behind; with `job_id` only those of this job.
    """
    began, ended = window
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM spans WHERE ended_us > max(:after, :began - 1)"
        " AND ended_us <= :latest AND began_ms <= :ended AND owner_id = :owner"
        " AND (:job IS NULL OR job_id = :job) ORDER BY ended_us LIMIT :limit",
        {
            "after": after,
            "began": began * 1000,
            "latest": (ended + LONGEST_MS) * 1000,
            "ended": ended,
            "owner": owner_id,
            "job": job_id,
            "limit": limit,
        },
    )
    return [_span(row) for row in rows]


def of_file(con: sqlite3.Connection, file_id: str, owner_id: str, limit: int = 100) -> list[Span]:
    """The visits of one of the owner's files, newest first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM spans WHERE file_id = ? AND owner_id = ?"
        " ORDER BY ended_us DESC LIMIT ?",
        (file_id, owner_id, limit),
    )
    return [_span(row) for row in rows]


def prune(con: sqlite3.Connection, now_ms: int, keep_rows: int = KEEP_ROWS) -> int:
    """Forget what is older than `KEEP_US`, and the oldest beyond so many; how many that were."""
    too_many = con.execute("SELECT count(*) FROM spans").fetchone()[0] - keep_rows
    gone = con.execute("DELETE FROM spans WHERE ended_us < ?", (now_ms * 1000 - KEEP_US,)).rowcount
    if too_many > gone:
        gone += con.execute(
            "DELETE FROM spans WHERE ended_us IN"
            " (SELECT ended_us FROM spans ORDER BY ended_us LIMIT ?)",
            (too_many - gone,),
        ).rowcount
    return gone


def _packed(one: StageSpan) -> str:
    return f"{one.stage} {one.start_ms} {one.wall_ms} {one.cpu_ms} {one.outcome}"


def _unpacked(text: str) -> Iterator[StageSpan]:
    for part in filter(None, text.split(";")):
        stage, start, wall, cpu, outcome = part.split(" ")
        yield StageSpan(stage, int(start), int(wall), int(cpu), outcome)


def _span(row: sqlite3.Row) -> Span:
    return Span(
        id=row["ended_us"],
        began_ms=row["began_ms"],
        ended_ms=row["ended_us"] // 1000,
        job_id=row["job_id"],
        task_id=row["task_id"],
        file_id=row["file_id"],
        kind=row["kind"],
        slot=row["slot"],
        cpu_ms=row["cpu_ms"],
        bytes=row["bytes"],
        outcome=row["outcome"],
        stages=tuple(_unpacked(row["stages"])),
    )
