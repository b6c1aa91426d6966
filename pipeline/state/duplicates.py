"""Files that are the same, or look it: suggestions, groups for a review, decisions.

A suggestion is a pair; once made, or once a person decided it, the pair is never suggested anew.
Files that are not in the library (rejected, trashed, purged) are left out everywhere.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from pipeline.events import SimilarFound
from pipeline.model import JsonObject
from pipeline.state import events

ACTOR = "similar"
_ALIVE = "('studied', 'placing', 'placed', 'done', 'missing')"
_IN_ONE_QUERY = 500
_GROUP_LIMIT = 500  # members of one group of look-alikes; the rest waits for the first decisions


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files that look alike, and how many of 64 bits differ."""

    file_id: str
    other_id: str
    distance: int


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a group as a review shows it. `path` is below the library, `source` absolute."""

    file_id: str
    state: str
    path: str | None
    source: str
    size: int
    format: str | None
    mime: str | None
    width: int | None
    height: int | None
    taken_at: str | None
    taken_from: str | None
    camera: str | None
    has_place: bool
    bundle_id: str | None
    bundle_role: str | None
    found_at: str
    quality: JsonObject | None = None  # as the stage of that name told it


@dataclass(frozen=True, slots=True)
class Group:
    """Files that belong together; `pairs` are empty where the bytes are equal."""

    members: tuple[Member, ...]
    pairs: tuple[Pair, ...] = ()


def add_similar(con: sqlite3.Connection, pairs: Iterable[Pair], at: str) -> list[Pair]:
    """Remember pairs and tell of those that are new; which these are."""
    new = []
    for pair in pairs:
        first, second = sorted((pair.file_id, pair.other_id))
        added = con.execute(
            "INSERT OR IGNORE INTO similar (file_id, other_id, distance, found_at)"
            " VALUES (?, ?, ?, ?)",
            (first, second, pair.distance, at),
        ).rowcount
        if added:
            new.append(pair)
            found = SimilarFound(pair.file_id, pair.other_id, pair.distance)
            events.append(con, found, actor=ACTOR, at=at)
    return new


# --- for the review ----------------------------------------------------------------------------


def exact_groups(
    con: sqlite3.Connection, owner_id: str, after: str = "", limit: int = 50
) -> list[Group]:
    """Files with equal bytes, the one that is kept first; `after` is the last group's kept id."""
    kept = [
        row["duplicate_of"]
        for row in con.execute(
            "SELECT DISTINCT d.duplicate_of FROM media_files d"
            " JOIN media_files kept ON kept.id = d.duplicate_of"
            " WHERE d.owner_id = ? AND d.state = 'duplicate' AND d.duplicate_of > ?"
            f" AND kept.state IN {_ALIVE}"
            " ORDER BY d.duplicate_of LIMIT ?",
            (owner_id, after, limit),
        )
    ]
    groups = []
    for original in kept:
        ids = [original] + [
            row["id"]
            for row in con.execute(
                "SELECT id FROM media_files WHERE duplicate_of = ? AND owner_id = ?"
                " AND state = 'duplicate' ORDER BY id",
                (original, owner_id),
            )
        ]
        groups.append(Group(members(con, owner_id, ids)))
    return groups


def similar_groups(
    con: sqlite3.Connection, owner_id: str, after: str = "", limit: int = 50
) -> list[Group]:
    """Pictures linked by undecided suggestions; `after` is the least id of the last group."""
    groups: list[Group] = []
    while len(groups) < limit:
        seeds = [
            row["file_id"]
            for row in con.execute(
                f"SELECT DISTINCT s.file_id FROM {_OPEN_PAIRS} AND s.file_id > ?"
                " ORDER BY s.file_id LIMIT ?",
                (owner_id, after, limit),
            )
        ]
        if not seeds:
            break
        for seed in seeds:
            pairs = _linked(con, owner_id, seed)
            ids = sorted({i for pair in pairs for i in (pair.file_id, pair.other_id)})
            if ids[0] == seed and len(groups) < limit:  # else told with a smaller seed
                groups.append(Group(members(con, owner_id, ids), pairs))
            after = seed
            if len(groups) == limit:
                break
    return groups


def decide(  # noqa: PLR0913, PLR0917 - a decision names two files, its word, who and when
    con: sqlite3.Connection,
    owner_id: str,
    one: str,
    other: str,
    decision: str | None,
    decided_by: str,
    at: str,
) -> bool:
    """Remember 'same' or 'different', None forgets; False when the owner has no two such files."""
    first, second = sorted((one, other))
    owned = con.execute(
        "SELECT count(*) FROM media_files WHERE id IN (?, ?) AND owner_id = ?",
        (first, second, owner_id),
    ).fetchone()[0]
    if owned != 2:
        return False
    con.execute(
        "INSERT INTO similar (file_id, other_id, distance, found_at, decision, decided_by)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (file_id, other_id)"
        " DO UPDATE SET decision = excluded.decision, decided_by = excluded.decided_by",
        (first, second, _distance(con, first, second), at, decision, decided_by),
    )
    return True


# Undecided pairs of two living files of one owner that are not one bundle; ends in WHERE terms.
_OPEN_PAIRS = (
    "similar s JOIN media_files a ON a.id = s.file_id JOIN media_files b ON b.id = s.other_id"
    f" WHERE s.decision IS NULL AND a.state IN {_ALIVE} AND b.state IN {_ALIVE}"
    " AND (a.bundle_id IS NULL OR b.bundle_id IS NULL OR a.bundle_id <> b.bundle_id)"
    " AND a.owner_id = ?"
)


def _linked(con: sqlite3.Connection, owner_id: str, seed: str) -> tuple[Pair, ...]:
    """All open pairs that hang together with `seed`."""
    pairs: dict[tuple[str, str], Pair] = {}
    told, waiting = {seed}, [seed]
    while waiting and len(told) < _GROUP_LIMIT:
        at = waiting.pop()
        rows = con.execute(
            f"SELECT s.file_id, s.other_id, s.distance FROM {_OPEN_PAIRS} AND s.file_id = ?"
            f" UNION ALL SELECT s.file_id, s.other_id, s.distance FROM {_OPEN_PAIRS}"
            " AND s.other_id = ?",
            (owner_id, at, owner_id, at),
        ).fetchall()
        for row in rows:
            pair = Pair(**dict(row))
            pairs[pair.file_id, pair.other_id] = pair
            fresh = {pair.file_id, pair.other_id} - told
            told |= fresh
            waiting += fresh
    return tuple(pairs[key] for key in sorted(pairs))


def members(con: sqlite3.Connection, owner_id: str, ids: Sequence[str]) -> tuple[Member, ...]:
    """The files, in the order of `ids`."""
    found: dict[str, Member] = {}
    for start in range(0, len(ids), _IN_ONE_QUERY):
        part = ids[start : start + _IN_ONE_QUERY]
        rows = con.execute(
            "SELECT f.*, f.id AS file_id, f.lat IS NOT NULL AS has_place, r.path AS root,"
            " a.results AS quality FROM media_files f JOIN roots r ON r.id = f.root_id"
            " LEFT JOIN ai_analysis a ON a.file_id = f.id AND a.analysis_type = 'quality'"
            f" WHERE f.id IN ({_marks(part)}) AND f.owner_id = ?",
            (*part, owner_id),
        )
        found.update((row["id"], _member(row)) for row in rows)
    return tuple(found[i] for i in ids if i in found)


_MADE = ("source", "has_place", "quality")
_PLAIN = tuple(f.name for f in fields(Member) if f.name not in _MADE)


def _member(row: sqlite3.Row) -> Member:
    source = os.path.join(os.fsdecode(row["root"]), os.fsdecode(row["source_path"]))  # noqa: PTH118 - bytes-safe text, never opened here
    return Member(
        source=source,
        has_place=bool(row["has_place"]),
        quality=json.loads(row["quality"]) if row["quality"] else None,
        **{name: row[name] for name in _PLAIN},
    )


def _distance(con: sqlite3.Connection, one: str, other: str) -> int:
    """Between two files a person compared unasked; 64 where there is nothing to compare."""
    rows = con.execute(
        "SELECT phash FROM signatures WHERE file_id IN (?, ?)", (one, other)
    ).fetchall()
    if len(rows) != 2:
        return 64
    one_hash, other_hash = (int(row["phash"]) for row in rows)
    return ((one_hash ^ other_hash) & (1 << 64) - 1).bit_count()


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
