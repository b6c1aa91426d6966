"""Words people gave to files. Every change is an event and, within a job, a line in its journal.

A tag that a person gave is theirs: nothing else than a person takes it away.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.clock import Clock, new_id, timestamp
from pipeline.events import FileRetagged
from pipeline.state import events
from pipeline.state.journal import Entry

PERSON = "person"
_Sources = dict[str, str]  # by tag, who gave it


@dataclass(frozen=True, slots=True)
class Change:
    """The tags of one file, before and after, each in alphabetical order."""

    file_id: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Tags to give and tags to take away."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def of(con: sqlite3.Connection, owner_id: str, file_id: str) -> tuple[str, ...]:
    """The tags of one file of this owner, in alphabetical order."""
    rows = con.execute(
        "SELECT tag FROM tags JOIN media_files f ON f.id = file_id"
        " WHERE file_id = ? AND f.owner_id = ? ORDER BY tag",
        (file_id, owner_id),
    )
    return tuple(row["tag"] for row in rows)


def plan(
    con: sqlite3.Connection, owner_id: str, file_ids: Iterable[str], wanted: Wanted
) -> list[Change]:
    """What `change` would do to these files, as far as they are this owner's, in their order."""
    found = []
    for file_id in file_ids:
        if not _is_owned(con, owner_id, file_id):
            continue
        before = of(con, owner_id, file_id)
        after = (set(before) | set(wanted.add)) - set(wanted.remove)
        found.append(Change(file_id, before, tuple(sorted(after))))
    return found


def change(  # noqa: PLR0913 - who, what, as part of which job
    con: sqlite3.Connection,
    owner_id: str,
    file_ids: Iterable[str],
    wanted: Wanted,
    clock: Clock,
    *,
    job_id: str,
    actor: str,
) -> list[Change]:
    """Give and take tags, journaled as part of the job; a file that has them so is left alone."""
    changes = plan(con, owner_id, file_ids, wanted)
    for one in changes:
        if one.before == one.after:
            continue
        before = _sources(con, one.file_id)
        after = {tag: before.get(tag, PERSON) for tag in one.after}
        _set(con, one.file_id, before, after, clock, actor=actor)
        _journal(con, job_id, one.file_id, before, after, clock)
    return changes


def revert(con: sqlite3.Connection, entries: Sequence[Entry], clock: Clock, *, actor: str) -> None:
    """Take back what these lines of a journal gave, and give back what they took.

    What was changed otherwise since is left as it is.
    """
    at = timestamp(clock.now())
    for entry in entries:
        was, became = _tags(entry.before), _tags(entry.after)
        now = _sources(con, entry.file_id)
        kept = {tag: source for tag, source in now.items() if tag in was or tag not in became}
        gone = {tag: source for tag, source in was.items() if tag not in became}
        _set(con, entry.file_id, now, gone | kept, clock, actor=actor)
        con.execute("UPDATE journal SET undone_at = ? WHERE id = ?", (at, entry.id))


def _is_owned(con: sqlite3.Connection, owner_id: str, file_id: str) -> bool:
    row = con.execute(
        "SELECT 1 FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    return row is not None


def _sources(con: sqlite3.Connection, file_id: str) -> _Sources:
    rows = con.execute("SELECT tag, source FROM tags WHERE file_id = ? ORDER BY tag", (file_id,))
    return {row["tag"]: row["source"] for row in rows}


def _tags(side: Mapping[str, object]) -> _Sources:
    tags = side["tags"]
    assert isinstance(tags, dict), "a line of the journal about tags names them"
    return tags


def _set(
    con: sqlite3.Connection,
    file_id: str,
    before: _Sources,
    after: _Sources,
    clock: Clock,
    *,
    actor: str,
) -> None:
    added = tuple(sorted(after.keys() - before.keys()))
    removed = tuple(sorted(before.keys() - after.keys()))
    if not added and not removed:
        return
    con.executemany(
        "DELETE FROM tags WHERE file_id = ? AND tag = ?", [(file_id, tag) for tag in removed]
    )
    con.executemany(
        "INSERT INTO tags (file_id, tag, source) VALUES (?, ?, ?)",
        [(file_id, tag, after[tag]) for tag in added],
    )
    event = FileRetagged(file_id, added, removed)
    events.append(con, event, actor=actor, at=timestamp(clock.now()))


def _journal(
    con: sqlite3.Connection,
    job_id: str,
    file_id: str,
    before: _Sources,
    after: _Sources,
    clock: Clock,
) -> None:
    now = clock.now()
    con.execute(
        "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
        " VALUES (?, ?, ?, 'retag', ?, ?, ?)",
        (
            new_id(now),
            job_id,
            file_id,
            json.dumps({"tags": before}),
            json.dumps({"tags": after}),
            timestamp(now),
        ),
    )
