"""Samples of the machine and the work: every 10 seconds for a day, every 5 minutes for a month.

A sample is a flat JSON object. Gauges (`cpu`, `queue` ...) are averaged when samples are rolled up
into one, of `lag_p99_ms` the worst stays; what was counted (`files`, `bytes` ...) is added;
`stages` hold durations as counts by size, which are added too, so that a month's median is as true
as a minute's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.model import JsonObject

FINE_S, COARSE_S = 10, 300
KEEP_FINE_S = 24 * 3600
KEEP_COARSE_S = 30 * 24 * 3600
COUNTED = frozenset({"files", "bytes", "failed", "visit_cpu_ms"})
WORST = frozenset({"lag_p99_ms"})


@dataclass(frozen=True, slots=True)
class Sample:
    """What was read in the `every_s` seconds from `at` on (unix time)."""

    every_s: int
    at: int
    readings: JsonObject


def add(con: sqlite3.Connection, samples: Iterable[Sample]) -> None:
    """Keep these; one that is there already is replaced."""
    con.executemany(
        "INSERT OR REPLACE INTO metrics (every_s, at, readings) VALUES (?, ?, ?)",
        [(s.every_s, s.at, json.dumps(s.readings, separators=(",", ":"))) for s in samples],
    )


def between(con: sqlite3.Connection, every_s: int, since: int, until: int) -> list[Sample]:
    """The samples of one resolution from `since` on, before `until`, in order."""
    rows = con.execute(
        "SELECT every_s, at, readings FROM metrics WHERE every_s = ? AND at >= ? AND at < ?"
        " ORDER BY at",
        (every_s, since, until),
    )
    return [Sample(row["every_s"], row["at"], json.loads(row["readings"])) for row in rows]


def roll_up(con: sqlite3.Connection, now: int) -> int:
    """Make coarse samples of the fine ones, wherever five minutes are over; how many."""
    newest = con.execute("SELECT max(at) FROM metrics WHERE every_s = ?", (COARSE_S,)).fetchone()[0]
    since = 0 if newest is None else newest + COARSE_S
    fine = between(con, FINE_S, since, now - now % COARSE_S)
    made = merged(fine, COARSE_S)
    add(con, made)
    return len(made)


def prune(con: sqlite3.Connection, now: int) -> int:
    """Forget what is too old; how many samples that were."""
    gone = 0
    for every_s, keep_s in ((FINE_S, KEEP_FINE_S), (COARSE_S, KEEP_COARSE_S)):
        gone += con.execute(
            "DELETE FROM metrics WHERE every_s = ? AND at < ?", (every_s, now - keep_s)
        ).rowcount
    return gone


def merged(samples: Sequence[Sample], every_s: int) -> list[Sample]:
    """The samples as fewer, one for each `every_s` seconds in which there was one."""
    groups: dict[int, list[JsonObject]] = {}
    for sample in samples:
        groups.setdefault(sample.at - sample.at % every_s, []).append(sample.readings)
    return [Sample(every_s, at, together(group)) for at, group in groups.items()]


def together(readings: Sequence[JsonObject]) -> JsonObject:
    """Many readings as one."""
    names = dict.fromkeys(name for one in readings for name in one)
    return {name: _one(name, [one[name] for one in readings if name in one]) for name in names}


def _one(name: str, values: Sequence[Any]) -> Any:
    if name == "stages":
        return _stages(values)
    if name == "disks":
        return values[-1]
    if name in COUNTED:
        return sum(values)
    if name in WORST:
        return max(values)
    return round(sum(values) / len(values), 2)


def _stages(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each stage is [how often, milliseconds in all, {size: how often}]."""
    told: dict[str, Any] = {}
    for one in values:
        for stage, (count, wall_ms, sizes) in one.items():
            known = told.setdefault(stage, [0, 0, {}])
            known[0] += count
            known[1] += wall_ms
            for size, times in sizes.items():
                known[2][size] = known[2].get(size, 0) + times
    return told
