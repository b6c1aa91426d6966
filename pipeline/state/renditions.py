"""What was made of files on request, once for each content and wish, and what it saved."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.model import Category, JsonObject

_COLUMNS = (
    "id, file_id, owner_id, job_id, stage, version, params, sha256, outcome, reason, facts, kind,"
    " path, mime, width, height, made_sha256, bytes_before, bytes_after, original_id, made_at,"
    " replaced_at"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a content: a stage in its version, with parameters as canonical JSON."""

    stage: str
    version: int
    params: str

    @classmethod
    def of(cls, stage: str, version: int, params: JsonObject) -> Wish:
        """The wish; equal parameters in any order are the same wish."""
        return cls(stage, version, json.dumps(params, sort_keys=True, separators=(",", ":")))

    @property
    def digest(self) -> str:
        """The wish as a short word, for the names of files."""
        told = json.dumps([self.stage, self.version, self.params])
        return hashlib.sha256(told.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Rendition:
    """One row. `path` is below the cache, which may be emptied at any time."""

    id: str
    file_id: str
    owner_id: str
    job_id: str | None
    stage: str
    version: int
    params: str
    sha256: str
    outcome: str
    reason: str | None
    facts: JsonObject
    kind: str
    path: str | None
    mime: str | None
    width: int | None
    height: int | None
    made_sha256: str | None
    bytes_before: int
    bytes_after: int | None
    original_id: str | None
    made_at: str
    replaced_at: str | None


@dataclass(frozen=True, slots=True)
class Savings:
    """What renditions of one stage came to. `freed` counts those that replaced their originals."""

    stage: str
    made: int
    skipped: int
    replaced: int
    bytes_before: int  # of what was made
    bytes_after: int
    freed: int


@dataclass(frozen=True, slots=True)
class Span:
    """Files taken before one moment, and not before the other; stored UTC text."""

    before: str
    since: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A file that a wish is to be tried on."""

    id: str
    size: int


@dataclass(frozen=True, slots=True)
class Experience:
    """So many files, and their bytes before and after."""

    files: int
    bytes_before: int
    bytes_after: int


def add(con: sqlite3.Connection, rendition: Rendition) -> None:
    """Keep a rendition; one of the same content and wish takes the place of an earlier one."""
    values = {name: getattr(rendition, name) for name in Rendition.__dataclass_fields__}
    values["facts"] = json.dumps(rendition.facts)
    names = ", ".join(f":{name}" for name in values)
    con.execute(f"INSERT OR REPLACE INTO renditions ({_COLUMNS}) VALUES ({names})", values)


def known(con: sqlite3.Connection, sha256: str, wish: Wish) -> list[Rendition]:
    """What this wish brought for these bytes before."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM renditions WHERE sha256 = ? AND stage = ? AND version = ?"
        " AND params = ? ORDER BY kind",
        (sha256, wish.stage, wish.version, wish.params),
    )
    return list(map(_rendition, rows))


def maker_of(con: sqlite3.Connection, sha256: str, stage: str) -> Rendition | None:
    """The rendition whose result these bytes are, if a stage of that name made them."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM renditions WHERE made_sha256 = ? AND stage = ?"
        " ORDER BY made_at DESC LIMIT 1",
        (sha256, stage),
    ).fetchone()
    return None if row is None else _rendition(row)


def of_job(con: sqlite3.Connection, job_id: str, owner_id: str) -> list[Rendition]:
    """What a job of this owner made and skipped, in the order of its files."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM renditions WHERE job_id = ? AND owner_id = ?"
        " ORDER BY file_id, kind",
        (job_id, owner_id),
    )
    return list(map(_rendition, rows))


def of_file(con: sqlite3.Connection, owner_id: str, file_id: str) -> list[Rendition]:
    """What was made of one file of this owner, the newest first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM renditions WHERE file_id = ? AND owner_id = ?"
        " ORDER BY made_at DESC, id",
        (file_id, owner_id),
    )
    return list(map(_rendition, rows))


def claim(con: sqlite3.Connection, ids: Sequence[str], job_id: str) -> None:
    """Renditions known from before are this job's answer, too."""
    con.executemany("UPDATE renditions SET job_id = ? WHERE id = ?", [(job_id, one) for one in ids])


def savings(con: sqlite3.Connection, owner_id: str) -> list[Savings]:
    """The ledger: by stage, the sum over all renditions of the owner's files."""
    rows = con.execute(
        "SELECT stage, sum(outcome = 'made') AS made, sum(outcome = 'skipped') AS skipped,"
        " sum(replaced_at IS NOT NULL) AS replaced,"
        " sum(iif(outcome = 'made', bytes_before, 0)) AS bytes_before,"
        " sum(iif(outcome = 'made', bytes_after, 0)) AS bytes_after,"
        " sum(iif(replaced_at IS NULL, 0, bytes_before - bytes_after)) AS freed"
        " FROM renditions WHERE owner_id = ? GROUP BY stage ORDER BY stage",
        (owner_id,),
    )
    return [Savings(**dict(row)) for row in rows]


def due(
    con: sqlite3.Connection,
    owner_id: str,
    category: Category,
    span: Span,
    wish: Wish,
    *,
    replaces: bool,
) -> list[Due]:
    """The owner's files of that category and age that this wish is still to be done to, by age.

    A copy that only waits in the cache is enough unless it is to take its original's place.
    """
    rows = con.execute(
        "SELECT f.id, f.size FROM media_files f WHERE f.owner_id = :owner AND f.state = 'done'"
        " AND f.path IS NOT NULL AND f.category = :category AND f.taken_utc < :before"
        " AND (:since IS NULL OR f.taken_utc >= :since) AND coalesce(f.bundle_role, 'primary')"
        "  IN ('primary', 'edit') AND NOT EXISTS (SELECT 1 FROM renditions r WHERE r.stage = :stage"
        "  AND r.version = :version AND r.params = :params"
        "  AND f.sha256 IN (r.sha256, r.made_sha256) AND (NOT :replaces OR r.outcome = 'skipped'"
        "   OR r.replaced_at IS NOT NULL)) ORDER BY f.taken_utc, f.id",
        {
            "owner": owner_id,
            "category": category,
            "before": span.before,
            "since": span.since,
            "stage": wish.stage,
            "version": wish.version,
            "params": wish.params,
            "replaces": replaces,
        },
    )
    return [Due(**dict(row)) for row in rows]


def experience(con: sqlite3.Connection, owner_id: str, wish: Wish) -> Experience:
    """What this wish came to so far, also where it was skipped: then nothing was saved."""
    row = con.execute(
        "SELECT count(*) AS files, coalesce(sum(bytes_before), 0) AS bytes_before,"
        " coalesce(sum(coalesce(bytes_after, bytes_before)), 0) AS bytes_after FROM renditions"
        " WHERE owner_id = ? AND stage = ? AND version = ? AND params = ?",
        (owner_id, wish.stage, wish.version, wish.params),
    ).fetchone()
    return Experience(**dict(row))


def _rendition(row: sqlite3.Row) -> Rendition:
    return Rendition(**{**dict(row), "facts": json.loads(row["facts"])})
