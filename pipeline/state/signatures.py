"""What near-duplicate search reads: hashes, and all that tells whether two pictures are one shot.

Only of files in the library: rejected, trashed and purged ones are left out. How far the search
has come in the event log is kept here too, like that of every durable receiver.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pipeline.state import receivers

RECEIVER = "similar"
_ALIVE = "('studied', 'placing', 'placed', 'done', 'missing')"
_IN_ONE_QUERY = 500


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file's hash, and the first bytes of its detail."""

    file_id: str
    owner_id: str
    phash: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture with everything that tells whether two are the same shot."""

    file_id: str
    owner_id: str
    phash: int
    detail: bytes
    bundle_id: str | None
    taken_at: str | None
    taken_from: str | None
    camera: str | None
    burst_id: str | None
    exposure_bias: float | None


def hashes(con: sqlite3.Connection) -> Iterator[Hashed]:
    """Every hash of a living file, one after the other."""
    rows = con.execute(
        "SELECT s.file_id, f.owner_id, s.phash, substr(s.detail, 1, 8) AS head"
        f" FROM signatures s JOIN media_files f ON f.id = s.file_id WHERE f.state IN {_ALIVE}"
    )
    return (Hashed(**dict(row)) for row in rows)


def shots(
    con: sqlite3.Connection, file_ids: Collection[str], *, detailed: bool = True
) -> dict[str, Shot]:
    """Those of the files that live and have a signature, by id; `detail` is empty if not asked."""
    detail = "s.detail" if detailed else "x''"
    found: dict[str, Shot] = {}
    wanted = list(file_ids)
    for start in range(0, len(wanted), _IN_ONE_QUERY):
        part = wanted[start : start + _IN_ONE_QUERY]
        rows = con.execute(
            f"SELECT s.file_id, f.owner_id, s.phash, {detail} AS detail, f.bundle_id, f.taken_at,"
            " f.taken_from, f.camera, json_extract(f.facts, '$.burst_id') AS burst_id,"
            " json_extract(f.facts, '$.exposure_bias') AS exposure_bias"
            " FROM signatures s JOIN media_files f ON f.id = s.file_id"
            f" WHERE s.file_id IN ({_marks(part)}) AND f.state IN {_ALIVE}",
            part,
        )
        found.update((row["file_id"], Shot(**dict(row))) for row in rows)
    return found


def taken_together(con: sqlite3.Connection, file_id: str, limit: int) -> list[str]:
    """Other signed files of the owner with the same camera and the same time to the millisecond."""
    rows = con.execute(
        "SELECT o.id FROM media_files f JOIN media_files o ON o.owner_id = f.owner_id"
        " AND coalesce(o.taken_utc, '') = f.taken_utc AND o.camera = f.camera AND o.id <> f.id"
        " JOIN signatures s ON s.file_id = o.id WHERE f.id = ? LIMIT ?",
        (file_id, limit),
    )
    return [row["id"] for row in rows]


def studied_until(con: sqlite3.Connection) -> int:
    """The number of the last `file.studied` that look-alikes were sought for; 0 at first."""
    return receivers.position(con, RECEIVER) or 0


def note_studied(con: sqlite3.Connection, seq: int, at: str) -> None:
    """Look-alikes were sought for every file studied up to event `seq`, from the very first."""
    con.execute(
        "INSERT INTO receivers (name, seq, updated_at) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET seq = max(seq, excluded.seq), updated_at = ?",
        (RECEIVER, seq, at, at),
    )


def studied_after(con: sqlite3.Connection, seq: int, limit: int) -> list[tuple[int, str]]:
    """Number and file of the next `file.studied` events after `seq`, in order."""
    rows = con.execute(
        "SELECT seq, subject FROM events WHERE seq > ? AND name = 'file.studied'"
        " ORDER BY seq LIMIT ?",
        (seq, limit),
    )
    return [(int(row["seq"]), str(row["subject"])) for row in rows]


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
