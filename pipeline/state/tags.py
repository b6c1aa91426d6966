"""The tags of files and where they come from: a person, the file itself, or a model.

A person's word stands: what they gave nobody else takes away, what they took away nobody else gives
again. Every change is an event and, within a job, a line in its journal.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from pipeline.clock import Clock, new_id, timestamp
from pipeline.events import FileRetagged
from pipeline.model import Json, JsonObject
from pipeline.state import audit
from pipeline.state.journal import Entry

PERSON, FILE, MODEL = "person", "file", "model"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who says that a file has a tag; or, where `is_removed`, that it has not."""

    source: str
    model: str | None = None
    version: int | None = None
    confidence: float | None = None
    is_removed: bool = False


GIVEN, REMOVED = Origin(PERSON), Origin(PERSON, is_removed=True)
Origins = Mapping[str, Origin]  # by tag


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


@dataclass(frozen=True, slots=True)
class Used:
    """A tag and how many files of the library have it, by who says so."""

    tag: str
    files: int
    by_person: int
    by_file: int
    by_model: int


def of(con: sqlite3.Connection, owner_id: str, file_id: str) -> tuple[str, ...]:
    """The tags of one file of this owner, in alphabetical order."""
    return tuple(origins(con, owner_id, file_id))


def origins(con: sqlite3.Connection, owner_id: str, file_id: str) -> dict[str, Origin]:
    """The tags of one file of this owner with who says so, in alphabetical order."""
    if not _is_owned(con, owner_id, file_id):
        return {}
    return {tag: one for tag, one in stored(con, file_id).items() if not one.is_removed}


def used(con: sqlite3.Connection, owner_id: str) -> list[Used]:
    """Every tag in this owner's library, the most used first."""
    rows = con.execute(
        "SELECT tag, count(*) AS files, sum(source = 'person') AS by_person,"
        " sum(source = 'file') AS by_file, sum(source = 'model') AS by_model"
        " FROM tags JOIN media_files f ON f.id = file_id"
        " WHERE is_removed = 0 AND f.owner_id = ?"
        " AND f.state IN ('placing', 'placed', 'done', 'missing')"
        " GROUP BY tag ORDER BY files DESC, tag",
        (owner_id,),
    )
    return [Used(**dict(row)) for row in rows]


def having(con: sqlite3.Connection, owner_id: str, tag: str) -> list[str]:
    """The files of this owner's library that have a tag, in the order in which they came."""
    rows = con.execute(
        "SELECT file_id FROM tags JOIN media_files f ON f.id = file_id WHERE tag = ?"
        " AND is_removed = 0 AND f.owner_id = ? AND f.state = 'done' ORDER BY file_id",
        (tag, owner_id),
    )
    return [row["file_id"] for row in rows]


def plan(
    con: sqlite3.Connection, owner_id: str, file_ids: Iterable[str], wanted: Wanted
) -> list[Change]:
    """What `change` would do to these files, as far as they are this owner's, in their order."""
    found = []
    for file_id in file_ids:
        if _is_owned(con, owner_id, file_id):
            now = stored(con, file_id)
            found.append(Change(file_id, _shown(now), _shown(_changed(now, wanted))))
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
        before = stored(con, one.file_id)
        after = _changed(before, wanted)
        if before == after:
            continue
        put(con, one.file_id, before, after, actor=actor, at=timestamp(clock.now()))
        _journal(con, job_id, one.file_id, before, after, clock)
    return changes


def revert(con: sqlite3.Connection, entries: Sequence[Entry], clock: Clock, *, actor: str) -> None:
    """Take back what these lines of a journal gave, and give back what they took.

    What was changed otherwise since is left as it is.
    """
    at = timestamp(clock.now())
    for entry in entries:
        was, became = _told(entry.before), _told(entry.after)
        now = stored(con, entry.file_id)
        ours = {tag for tag in was.keys() | became.keys() if was.get(tag) != became.get(tag)}
        unchanged = {tag for tag in ours if now.get(tag) == became.get(tag)}
        back = {tag: was[tag] for tag in unchanged if tag in was}
        others = {tag: one for tag, one in now.items() if tag not in unchanged}
        put(con, entry.file_id, now, others | back, actor=actor, at=at)
        con.execute("UPDATE journal SET undone_at = ? WHERE id = ?", (at, entry.id))


def stored(con: sqlite3.Connection, file_id: str) -> dict[str, Origin]:
    """Every tag of a file with its origin, also those a person took away, in their order."""
    rows = con.execute(
        "SELECT tag, source, model, version, confidence, is_removed FROM tags"
        " WHERE file_id = ? ORDER BY tag",
        (file_id,),
    )
    return {
        tag: Origin(source, model, version, confidence, bool(is_removed))
        for tag, source, model, version, confidence, is_removed in rows
    }


def put(
    con: sqlite3.Connection,
    file_id: str,
    before: Origins,
    after: Origins,
    *,
    actor: str,
    at: str,
) -> None:
    """Bring the rows of a file from `before` to `after`; an event if that shows."""
    con.executemany(
        "DELETE FROM tags WHERE file_id = ? AND tag = ?",
        [(file_id, tag) for tag in before if before[tag] != after.get(tag)],
    )
    con.executemany(
        "INSERT INTO tags (file_id, tag, source, model, version, confidence, is_removed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (file_id, tag, one.source, one.model, one.version, one.confidence, int(one.is_removed))
            for tag, one in after.items()
            if before.get(tag) != one
        ],
    )
    was, now = set(_shown(before)), set(_shown(after))
    if was != now:
        event = FileRetagged(file_id, tuple(sorted(now - was)), tuple(sorted(was - now)))
        told: JsonObject = {"tags": sorted(now)}
        audit.tell_as(con, actor, event, at, before={"tags": sorted(was)}, after=told)


def _changed(now: Origins, wanted: Wanted) -> dict[str, Origin]:
    """What a person adds becomes theirs; what they take away stays away."""
    removed = {tag: REMOVED for tag in wanted.remove if tag in now}
    return {**now, **removed, **dict.fromkeys(wanted.add, GIVEN)}


def _shown(all_of_them: Origins) -> tuple[str, ...]:
    return tuple(sorted(tag for tag, one in all_of_them.items() if not one.is_removed))


def _is_owned(con: sqlite3.Connection, owner_id: str, file_id: str) -> bool:
    row = con.execute(
        "SELECT 1 FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    return row is not None


def _journal(
    con: sqlite3.Connection,
    job_id: str,
    file_id: str,
    before: Origins,
    after: Origins,
    clock: Clock,
) -> None:
    now = clock.now()
    tags = {tag for tag in before.keys() | after.keys() if before.get(tag) != after.get(tag)}
    con.execute(
        "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
        " VALUES (?, ?, ?, 'retag', ?, ?, ?)",
        (
            new_id(now),
            job_id,
            file_id,
            json.dumps(_line(before, tags)),
            json.dumps(_line(after, tags)),
            timestamp(now),
        ),
    )


def _line(side: Origins, tags: Iterable[str]) -> JsonObject:
    return {"tags": {tag: asdict(side[tag]) for tag in sorted(tags) if tag in side}}


def _told(side: JsonObject) -> dict[str, Origin]:
    """The tags of a line; older ones name only the source."""
    return {tag: _origin(value) for tag, value in side["tags"].items()}


def _origin(value: Json) -> Origin:
    return Origin(value) if isinstance(value, str) else Origin(**value)
