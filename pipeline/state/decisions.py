"""A person's decisions about look-alikes as part of a job, so that they can be taken back."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.clock import Clock, new_id, timestamp
from pipeline.model import JsonObject
from pipeline.state import audit, duplicates
from pipeline.state.journal import Entry


@dataclass(frozen=True, slots=True)
class Decided:
    """What was said of a pair, and by whom; the names are those of the files."""

    file_id: str
    other_id: str
    distance: int
    decision: str
    decided_by: str
    name: str
    other_name: str
    state: str
    other_state: str


def decide(  # noqa: PLR0913 - a decision names two files, its word, who, and as part of which job
    con: sqlite3.Connection,
    owner_id: str,
    pair: tuple[str, str],
    decision: str | None,
    clock: Clock,
    *,
    job_id: str,
    actor: str,
) -> bool:
    """Remember 'same' or 'different' of a pair, None forgets it; False when the owner has no two
    such files."""
    first, second = sorted(pair)
    now = clock.now()
    before = _of(con, first, second)
    if not duplicates.decide(con, owner_id, first, second, decision, actor, timestamp(now)):
        return False
    after = {"other": second, "decision": decision, "decided_by": actor}
    con.execute(
        "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
        " VALUES (?, ?, ?, 'decide', ?, ?, ?)",
        (new_id(now), job_id, first, json.dumps(before), json.dumps(after), timestamp(now)),
    )
    _note(con, actor, first, timestamp(now), before, after)
    return True


def listing(
    con: sqlite3.Connection, owner_id: str, after: tuple[str, str] = ("", ""), limit: int = 50
) -> list[Decided]:
    """What was decided about the owner's files, behind the pair `after`."""
    rows = con.execute(
        "SELECT s.file_id, s.other_id, s.distance, s.decision, s.decided_by,"
        " coalesce(a.path, a.source_path) AS name, coalesce(b.path, b.source_path) AS other_name,"
        " a.state, b.state AS other_state"
        " FROM similar s JOIN media_files a ON a.id = s.file_id"
        " JOIN media_files b ON b.id = s.other_id"
        " WHERE (s.file_id, s.other_id) > (?, ?) AND s.decision IS NOT NULL AND a.owner_id = ?"
        " ORDER BY s.file_id, s.other_id LIMIT ?",
        (*after, owner_id, limit),
    )
    return [_decided(row) for row in rows]


def _decided(row: sqlite3.Row) -> Decided:
    told = dict(row)
    for name in ("name", "other_name"):
        path = os.fsdecode(told[name]).encode("utf-8", "replace").decode()
        told[name] = path.rpartition("/")[2]
    return Decided(**told)


def revert(con: sqlite3.Connection, entries: Sequence[Entry], clock: Clock, *, actor: str) -> None:
    """Take these decisions back, where nobody decided anew; the pairs are asked about again."""
    at = timestamp(clock.now())
    for entry in entries:
        other = str(entry.after["other"])
        changed = con.execute(
            "UPDATE similar SET decision = ?, decided_by = ? WHERE file_id = ? AND other_id = ?"
            " AND decision IS ?",
            (
                entry.before["decision"],
                entry.before["decided_by"],
                entry.file_id,
                other,
                entry.after["decision"],
            ),
        ).rowcount
        if changed:
            _note(con, actor, entry.file_id, at, entry.after, entry.before)
        con.execute("UPDATE journal SET undone_at = ? WHERE id = ?", (at, entry.id))


def _note(
    con: sqlite3.Connection, actor: str, first: str, at: str, before: JsonObject, after: JsonObject
) -> None:
    audit.note_as(con, actor, ("similar.decided", first), at, before=before, after=after)


def _of(con: sqlite3.Connection, first: str, second: str) -> dict[str, str | None]:
    row = con.execute(
        "SELECT decision, decided_by FROM similar WHERE file_id = ? AND other_id = ?",
        (first, second),
    ).fetchone()
    decision, decided_by = (None, None) if row is None else tuple(row)
    return {"other": second, "decision": decision, "decided_by": decided_by}
