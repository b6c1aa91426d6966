"""What a person says of a file - title, description, stars, when, where - over what is read of it.

A person's word stands: analysis goes on to learn, but below it. What it learns is kept as well, so
that taking back the word shows what is known by then. Every change is an event and, within a job,
a line in its journal.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.clock import Clock, new_id, timestamp
from pipeline.events import FileEdited
from pipeline.model import Json, JsonObject
from pipeline.state import audit, files
from pipeline.state.files import FileRow
from pipeline.state.journal import Entry

FIELDS: Mapping[str, tuple[str, ...]] = {  # which columns each of them decides
    "title": ("title",),
    "description": (),  # is in no column: `description_of` tells it
    "rating": ("rating",),
    "taken_at": ("taken_at", "taken_utc", "taken_from", "taken_confidence"),
    "position": ("lat", "lon", "place"),
}
_COLUMNS = tuple(column for columns in FIELDS.values() for column in columns)
_SET = (
    "UPDATE media_files SET updated_at = :at,"
    + ", ".join(f" {name} = :{name}" for name in _COLUMNS)
    + " WHERE id = :id"
)
# By field what a person says, as the columns it decides; None: they take their word back.
Patch = Mapping[str, JsonObject | None]
Decide = Callable[[FileRow], Patch | str]  # a text says why this file is left as it is


@dataclass(frozen=True, slots=True)
class Edit:
    """`said` by field, and `evidence`: what those columns would be without it."""

    said: JsonObject
    evidence: JsonObject


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of one file: its fields before and after, or why it was left."""

    file_id: str
    before: JsonObject
    after: JsonObject
    reason: str = ""


NOTHING = Edit({}, {})


def of(con: sqlite3.Connection, file_id: str) -> Edit:
    """What a person said of a file."""
    row = con.execute("SELECT said, evidence FROM edits WHERE file_id = ?", (file_id,)).fetchone()
    return NOTHING if row is None else Edit(json.loads(row["said"]), json.loads(row["evidence"]))


def description_of(con: sqlite3.Connection, file_id: str, read: str | None) -> str | None:
    """The description of a file: a person's, else the one that was `read`."""
    said = of(con, file_id).said
    return said["description"]["description"] if "description" in said else read


def over(con: sqlite3.Connection, file_id: str, columns: JsonObject) -> JsonObject:
    """`columns` as analysis found them, with a person's word over them. Remembers what that hides.

    Whoever writes what was read into the row of a file calls this first.
    """
    now = of(con, file_id)
    if not now.said:
        return columns
    hidden = {name for field in now.said for name in FIELDS[field]}
    evidence = {**now.evidence, **{k: v for k, v in columns.items() if k in hidden}}
    if (evidence.get("lat"), evidence.get("lon")) != (
        now.evidence.get("lat"),
        now.evidence.get("lon"),
    ):
        evidence["place"] = None  # the name was that of another position
    con.execute("UPDATE edits SET evidence = ? WHERE file_id = ?", (json.dumps(evidence), file_id))
    said = {k: v for decided in now.said.values() for k, v in decided.items()}
    return {name: said.get(name, value) for name, value in columns.items()}


def together(con: sqlite3.Connection, owner_id: str, file_ids: Sequence[str]) -> list[str]:
    """These files of the owner and what belongs to them, without sidecars: they speak of others."""
    wanted = json.dumps(list(file_ids))
    rows = con.execute(
        "SELECT f.id FROM json_each(?1) w JOIN media_files f ON f.id = w.value"
        " WHERE +f.owner_id = ?2"  # the plus: by id, not all files of an owner each time
        " UNION SELECT m.id FROM json_each(?1) w JOIN media_files f ON f.id = w.value"
        " JOIN media_files m ON m.bundle_id = f.bundle_id WHERE +f.owner_id = ?2"
        " AND +m.owner_id = ?2 AND m.bundle_role <> 'sidecar'"
        " AND m.state IN ('placed', 'done', 'missing')",
        (wanted, owner_id),
    )
    return [row["id"] for row in rows]


def plan(
    con: sqlite3.Connection, owner_id: str, file_ids: Sequence[str], decide: Decide
) -> list[Edited]:
    """What `change` would do to these files of this owner, in their order."""
    rows = (files.get(con, owner_id, file_id) for file_id in file_ids)
    return [_planned(con, row, decide)[0] for row in rows if row is not None]


def change(  # noqa: PLR0913 - who, what, as part of which job
    con: sqlite3.Connection,
    owner_id: str,
    file_ids: Sequence[str],
    decide: Decide,
    clock: Clock,
    *,
    job_id: str,
    actor: str,
) -> list[Edited]:
    """Note what a person says of these files, journaled as part of the job."""
    told = []
    for file_id in file_ids:
        row = files.get(con, owner_id, file_id)
        if row is None:
            continue
        edited, patch = _planned(con, row, decide)
        told.append(edited)
        before = of(con, file_id).said
        after = _patched(before, patch)
        if before != after:
            _put(con, file_id, after, actor=actor, at=timestamp(clock.now()))
            _journal(con, job_id, file_id, before, after, clock)
    return told


def revert(con: sqlite3.Connection, entries: Sequence[Entry], clock: Clock, *, actor: str) -> None:
    """Take back what these lines of a journal said. What was said anew since is left as it is."""
    at = timestamp(clock.now())
    for entry in entries:
        was, became, now = entry.before, entry.after, of(con, entry.file_id).said
        ours = {
            field for field in was.keys() | became.keys() if was.get(field) != became.get(field)
        }
        unchanged = {field for field in ours if now.get(field) == became.get(field)}
        back = {field: was.get(field) for field in unchanged}
        after = _patched(now, back)
        if after != now:
            _put(con, entry.file_id, after, actor=actor, at=at)
        con.execute("UPDATE journal SET undone_at = ? WHERE id = ?", (at, entry.id))


def _planned(con: sqlite3.Connection, row: FileRow, decide: Decide) -> tuple[Edited, Patch]:
    patch = decide(row)
    now = of(con, row.id)
    if isinstance(patch, str):
        return Edited(row.id, {}, {}, patch), {}
    shown = _shown(con, row)
    before = {field: shown[field] for field in patch}
    after = {
        field: _plain(field, _decided(now, row, field) if value is None else value)
        for field, value in patch.items()
    }
    return Edited(row.id, before, after), patch


def _shown(con: sqlite3.Connection, row: FileRow) -> dict[str, Json]:
    """Every field as a person sees it now."""
    read = (files.facts(con, row.owner_id, row.id) or {}).get("description")
    columns = {name: getattr(row, name) for name in _COLUMNS}
    columns["description"] = description_of(con, row.id, read)
    return {field: _plain(field, columns) for field in FIELDS}


def _decided(now: Edit, row: FileRow, field: str) -> JsonObject:
    """The columns of a field as evidence alone decides them."""
    source = now.evidence if field in now.said else {n: getattr(row, n) for n in FIELDS[field]}
    return {name: source.get(name) for name in FIELDS[field]}


def _plain(field: str, columns: JsonObject) -> Json:
    """A field as people see it, from its columns."""
    if field == "position":
        lat, lon = columns.get("lat"), columns.get("lon")
        return None if lat is None or lon is None else [lat, lon]
    return columns.get(field)


def _patched(said: JsonObject, patch: Patch) -> dict[str, Json]:
    kept = {field: value for field, value in said.items() if field not in patch}
    return kept | {field: value for field, value in patch.items() if value is not None}


def _put(con: sqlite3.Connection, file_id: str, said: JsonObject, *, actor: str, at: str) -> None:
    """Bring row and word of a file to `said`; an event."""
    now = of(con, file_id)
    row = con.execute("SELECT * FROM media_files WHERE id = ?", (file_id,)).fetchone()
    hidden_before = {name for field in now.said for name in FIELDS[field]}
    evidence = {n: now.evidence.get(n) if n in hidden_before else row[n] for n in _COLUMNS}
    decided = {k: v for value in said.values() for k, v in value.items()}
    columns = {name: decided.get(name, evidence[name]) for name in _COLUMNS}
    hidden = {name: evidence[name] for field in said for name in FIELDS[field]}
    con.execute(_SET, {**columns, "id": file_id, "at": at})
    con.execute("DELETE FROM edits WHERE file_id = ?", (file_id,))
    if said:
        con.execute(
            "INSERT INTO edits (file_id, said, evidence, at) VALUES (?, ?, ?, ?)",
            (file_id, json.dumps(said), json.dumps(hidden), at),
        )
    fields = {f for f in now.said.keys() | said.keys() if now.said.get(f) != said.get(f)}
    audit.tell_as(
        con,
        actor,
        FileEdited(file_id, tuple(sorted(fields))),
        at,
        before=_side(fields, dict(row), now.said),
        after=_side(fields, columns, said),
    )


def _side(fields: Iterable[str], columns: JsonObject, said: JsonObject) -> JsonObject:
    """Some fields as people see them; of the description only what is said."""
    shown = {**columns, "description": (said.get("description") or {}).get("description")}
    return {field: _plain(field, shown) for field in sorted(fields)}


def _journal(
    con: sqlite3.Connection,
    job_id: str,
    file_id: str,
    before: JsonObject,
    after: JsonObject,
    clock: Clock,
) -> None:
    now = clock.now()
    con.execute(
        "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
        " VALUES (?, ?, ?, 'edit', ?, ?, ?)",
        (new_id(now), job_id, file_id, json.dumps(before), json.dumps(after), timestamp(now)),
    )
