"""What visits found out: results by content, facts, derivatives, signatures, duplicates.

A result is remembered under (content hash, stage, stage version), so nothing is asked twice for
the same bytes. Recording never trusts that a content is new: it looks, in the same transaction.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.model import BundleRole, Category, FileState, Json, JsonObject, Take
from pipeline.state import edits

_FACT_COLUMNS = (
    "taken_at",
    "taken_utc",
    "taken_from",
    "taken_confidence",
    "lat",
    "lon",
    "width",
    "height",
    "orientation",
    "duration_s",
    "camera",
    "lens",
    "rating",
    "title",
)
_TO_STATE = (
    "UPDATE media_files SET state = :state, duplicate_of = :original, sha256 = :sha256,"
    " format = :format, category = :category, mime = :mime, facts = :facts,"
    " is_damaged = :damaged, reason = :reason, study_mark = :mark, updated_at = :at,"
    + ", ".join(f" {name} = :{name}" for name in _FACT_COLUMNS)
    + " WHERE id = :id AND state = 'found'"
)
_ALIVE = "('studied', 'placing', 'placed', 'done', 'missing')"  # as the index media_files_content


@dataclass(frozen=True, slots=True)
class StudyFile:
    """What a visit needs to know about a file. `source` is absolute."""

    id: str
    owner_id: str
    root_id: str
    root: Path
    source: Path
    take: Take
    size: int
    mtime_ns: int
    inode: int
    state: FileState
    sha256: str | None
    format: str | None
    bundle_id: str | None
    has_twin_size: bool  # another file of this owner and size has a known content


@dataclass(frozen=True, slots=True)
class Result:
    """One remembered stage result."""

    stage: str
    version: int
    outcome: str  # "done", "skip" or "reject"
    facts: JsonObject


@dataclass(frozen=True, slots=True)
class Derivative:
    """A file below `cache/`; `path` is relative to it."""

    kind: str
    version: int
    path: str
    mime: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """A member of a bundle and what its own visit read."""

    file_id: str
    bundle_id: str
    role: BundleRole
    facts: JsonObject


@dataclass(frozen=True, slots=True)
class Learnt:
    """Columns that a visit fills in."""

    sha256: str
    format: str
    category: Category
    mime: str
    facts: JsonObject
    columns: JsonObject  # of `metadata.columns`; absent ones stay as they are
    damage: str | None  # why the file counts as damaged
    study_mark: str  # with which stages it was studied


# --- before a visit ----------------------------------------------------------------------------


def files_to_study(con: sqlite3.Connection, file_ids: Sequence[str]) -> dict[str, StudyFile]:
    """The files by id, in one query."""
    rows = con.execute(
        "SELECT f.id, f.owner_id, f.root_id, r.path AS root, f.source_path, f.take, f.size,"
        " f.mtime_ns, f.inode, f.state, f.sha256, f.format, f.bundle_id,"
        " EXISTS (SELECT 1 FROM media_files o WHERE o.size = f.size AND o.owner_id = f.owner_id"
        "  AND o.sha256 IS NOT NULL AND o.id <> f.id) AS has_twin_size"
        " FROM media_files f JOIN roots r ON r.id = f.root_id"
        " WHERE f.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(file_ids)),),
    )
    return {row["id"]: _study_file(row) for row in rows}


def _study_file(row: sqlite3.Row) -> StudyFile:
    root = Path(os.fsdecode(row["root"]))
    return StudyFile(
        id=row["id"],
        owner_id=row["owner_id"],
        root_id=row["root_id"],
        root=root,
        source=root / os.fsdecode(row["source_path"]),
        take=Take(row["take"]),
        size=row["size"],
        mtime_ns=row["mtime_ns"],
        inode=row["inode"],
        state=FileState(row["state"]),
        sha256=row["sha256"],
        format=row["format"],
        bundle_id=row["bundle_id"],
        has_twin_size=bool(row["has_twin_size"]),
    )


def results(con: sqlite3.Connection, sha256: str, versions: Mapping[str, int]) -> list[Result]:
    """The remembered results of these bytes in the given versions of the stages."""
    rows = con.execute(
        "SELECT stage, version, outcome, facts FROM stage_results WHERE sha256 = ?", (sha256,)
    )
    return [
        Result(row["stage"], row["version"], row["outcome"], json.loads(row["facts"]))
        for row in rows
        if versions.get(row["stage"]) == row["version"]
    ]


def alive_twin(con: sqlite3.Connection, owner_id: str, sha256: str, *, but: str) -> str | None:
    """The owner's living file with the same bytes that is not a sidecar, if there is one.

    A file that a smaller copy stands for is alive in that copy: its original, coming in again, is
    the same photo.
    """
    row = con.execute(
        "SELECT id FROM media_files WHERE owner_id = :owner AND sha256 = :sha256 AND id <> :but"
        f" AND state IN {_ALIVE} AND category <> 'sidecar'"
        " UNION ALL SELECT f.id FROM renditions r JOIN media_files f ON f.id = r.file_id"
        "  WHERE r.sha256 = :sha256 AND r.owner_id = :owner AND r.replaced_at IS NOT NULL"
        f"  AND f.id <> :but AND f.state IN {_ALIVE} LIMIT 1",
        {"owner": owner_id, "sha256": sha256, "but": but},
    ).fetchone()
    return None if row is None else str(row["id"])


# --- after a visit -----------------------------------------------------------------------------


def remember(
    con: sqlite3.Connection, sha256: str, new: Iterable[Result], made: Iterable[Derivative], at: str
) -> None:
    """Keep stage results and derivatives for these bytes."""
    con.executemany(
        "INSERT OR REPLACE INTO stage_results (sha256, stage, version, outcome, facts, at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(sha256, r.stage, r.version, r.outcome, json.dumps(r.facts), at) for r in new],
    )
    con.executemany(
        "INSERT OR REPLACE INTO derivatives"
        " (sha256, kind, version, path, mime, width, height, bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(sha256, d.kind, d.version, d.path, d.mime, d.width, d.height, d.size) for d in made],
    )


def sign(con: sqlite3.Connection, file_id: str, phash: int, detail: bytes) -> None:
    """Keep what near-duplicate search compares; `phash` is 64 bits, as signed."""
    con.execute(
        "INSERT OR REPLACE INTO signatures (file_id, phash, detail) VALUES (?, ?, ?)",
        (file_id, phash, detail),
    )


def studied(con: sqlite3.Connection, file_id: str, learnt: Learnt, at: str) -> bool:
    """FOUND -> STUDIED with what was learnt; False when the file is no longer FOUND."""
    return _to_state(con, file_id, FileState.STUDIED, learnt, None, at)


def duplicate(
    con: sqlite3.Connection, file_id: str, learnt: Learnt, original: str, at: str
) -> bool:
    """FOUND -> DUPLICATE of `original`; False when the file is no longer FOUND."""
    return _to_state(con, file_id, FileState.DUPLICATE, learnt, original, at)


def _to_state(
    con: sqlite3.Connection,
    file_id: str,
    state: FileState,
    learnt: Learnt,
    original: str | None,
    at: str,
) -> bool:
    values: dict[str, Json] = dict.fromkeys(_FACT_COLUMNS) | {
        name: learnt.columns[name] for name in _FACT_COLUMNS if name in learnt.columns
    }
    values |= {
        "id": file_id,
        "state": state,
        "original": original,
        "sha256": learnt.sha256,
        "format": learnt.format,
        "category": learnt.category,
        "mime": learnt.mime,
        "facts": json.dumps(learnt.facts),
        "damaged": int(learnt.damage is not None),
        "reason": learnt.damage,
        "mark": learnt.study_mark,
        "at": at,
    }
    return con.execute(_TO_STATE, values).rowcount == 1


def relearn(con: sqlite3.Connection, file_id: str, facts: JsonObject, columns: JsonObject) -> None:
    """Replace what a file that is in its place was read to say; `columns` as of `Learnt`.

    What a person said stays over it.
    """
    columns = edits.over(con, file_id, columns)
    con.execute(
        "UPDATE media_files SET facts = :facts,"
        + ", ".join(f" {name} = :{name}" for name in _FACT_COLUMNS)
        + " WHERE id = :id",
        dict.fromkeys(_FACT_COLUMNS)
        | {name: columns[name] for name in _FACT_COLUMNS if name in columns}
        | {"facts": json.dumps(facts), "id": file_id},
    )


def end(con: sqlite3.Connection, file_id: str, state: FileState, reason: str, at: str) -> bool:
    """FOUND -> REJECTED or MISSING, with the reason a person reads."""
    changed = con.execute(
        "UPDATE media_files SET state = ?, reason = ?, updated_at = ?"
        " WHERE id = ? AND state = 'found'",
        (state, reason, at, file_id),
    ).rowcount
    return changed == 1


def seen_anew(
    con: sqlite3.Connection, file_id: str, size: int, mtime_ns: int, inode: int, at: str
) -> None:
    """A FOUND file changed on disk: the next visit expects it as it is now."""
    con.execute(
        "UPDATE media_files SET size = ?, mtime_ns = ?, inode = ?, updated_at = ?"
        " WHERE id = ? AND state = 'found'",
        (size, mtime_ns, inode, at, file_id),
    )


def waits_for_bundle(con: sqlite3.Connection, file_id: str) -> bool:
    """Does another member of the file's bundle still wait for its visit?"""
    row = con.execute(
        "SELECT 1 FROM media_files f JOIN media_files m ON m.bundle_id = f.bundle_id"
        " JOIN tasks t ON t.file_id = m.id AND t.status IN ('queued', 'claimed')"
        " WHERE f.id = ? AND m.state = 'found' LIMIT 1",
        (file_id,),
    ).fetchone()
    return row is not None


def bundle_facts(con: sqlite3.Connection, file_ids: Sequence[str]) -> list[BundleFacts]:
    """The members of these files' bundles that are read and alive, bundle by bundle."""
    rows = con.execute(
        "SELECT m.id, m.bundle_id, m.bundle_role, m.facts FROM media_files m WHERE m.bundle_id IN"
        " (SELECT bundle_id FROM media_files WHERE id IN (SELECT value FROM json_each(?)))"
        f" AND m.state IN {_ALIVE} ORDER BY m.bundle_id, m.id",
        (json.dumps(list(file_ids)),),
    )
    return [
        BundleFacts(
            row["id"], row["bundle_id"], BundleRole(row["bundle_role"]), json.loads(row["facts"])
        )
        for row in rows
    ]


def set_columns(con: sqlite3.Connection, file_id: str, values: JsonObject, at: str) -> None:
    """Replace the decided columns of a file; its own facts, and a person's word, stay."""
    values = edits.over(con, file_id, values)
    con.execute(
        "UPDATE media_files SET updated_at = :at,"
        + ", ".join(f" {name} = :{name}" for name in _FACT_COLUMNS)
        + " WHERE id = :id",
        {name: values[name] for name in _FACT_COLUMNS} | {"id": file_id, "at": at},
    )


def forget_content(con: sqlite3.Connection, file_id: str, at: str) -> None:
    """The bytes are others than were studied: the file is FOUND again."""
    con.execute(
        "UPDATE media_files SET state = 'found', sha256 = NULL, updated_at = ?"
        " WHERE id = ? AND state IN ('found', 'studied')",
        (at, file_id),
    )
