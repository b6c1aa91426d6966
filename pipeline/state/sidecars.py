"""What a sidecar is to say of a file, and the rows of sidecars that Darkroom writes itself."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.clock import Clock, new_id, timestamp
from pipeline.model import BundleRole, JsonObject
from pipeline.state import bundles, edits, search, tags

FOLDER = ".sidecars"  # of the library root; nothing ever lies there, it only tells rows apart


@dataclass(frozen=True, slots=True)
class Named:
    """A face of somebody who may be named; the box is of the upright picture."""

    name: str
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Beside:
    """An XMP sidecar that belongs to a file and lies in the library."""

    id: str
    path: str


@dataclass(frozen=True, slots=True)
class Sayable:
    """A file of the library with what can be said of it; `regions` are as the files say them."""

    id: str
    path: str
    bundle_id: str | None
    width: int | None
    height: int | None
    orientation: int | None
    rating: int | None
    tags: tuple[str, ...]
    people: tuple[str, ...]
    faces: tuple[Named, ...]
    regions: tuple[JsonObject, ...]
    beside: tuple[Beside, ...]
    said: JsonObject  # what people decided, as `edits.Edit.said`


@dataclass(frozen=True, slots=True)
class Written:
    """The bytes of a sidecar as they lie in a work folder."""

    sha256: str
    size: int
    mtime_ns: int
    inode: int


def sayable(con: sqlite3.Connection, owner_id: str, file_ids: Sequence[str]) -> list[Sayable]:
    """Those of the files that are this owner's and lie in the library, in their order."""
    rows = con.execute(
        "SELECT f.* FROM json_each(?) w JOIN media_files f ON f.id = w.value"
        " WHERE f.owner_id = ? AND f.state = 'done' AND f.path IS NOT NULL AND f.take <> 'index'"
        " AND f.category <> 'sidecar' ORDER BY w.key",
        (json.dumps(list(file_ids)), owner_id),
    ).fetchall()
    return [_sayable(con, owner_id, row) for row in rows]


def begin(con: sqlite3.Connection, of: Sayable, made: Written, job_id: str, clock: Clock) -> str:
    """A row, `studied`, for a new sidecar of a file, in its bundle and in the journal of the job.

    Undoing the job takes away the sidecar alone, not what it belongs to.
    """
    now = clock.now()
    sidecar_id, at = new_id(now), timestamp(now)
    bundle_id = of.bundle_id or _bundle_for(con, of.id, clock)
    con.execute(
        "INSERT INTO media_files (id, owner_id, root_id, source_path, source_dir, bucket, take,"
        " size, mtime_ns, inode, state, sha256, format, category, mime, bundle_id, bundle_role,"
        " found_at, updated_at) SELECT ?, owner_id, (SELECT id FROM roots WHERE kind = 'library'),"
        " ?, ?, ?, 'copy', ?, ?, ?, 'studied', ?, 'xmp', 'sidecar', 'application/rdf+xml', ?,"
        " 'sidecar', ?, ? FROM media_files WHERE id = ?",
        (
            sidecar_id, os.fsencode(f"{FOLDER}/{sidecar_id}"), os.fsencode(FOLDER), sidecar_id,
            made.size, made.mtime_ns, made.inode, made.sha256, bundle_id, at, at, of.id,
        ),
    )  # fmt: skip
    con.execute(
        "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
        " VALUES (?, ?, ?, 'place', ?, '{}', ?)",
        (new_id(now), job_id, sidecar_id, json.dumps({"is_alone": True}), at),
    )
    return sidecar_id


def give_up(con: sqlite3.Connection, sidecar_id: str, reason: str, at: str) -> None:
    """The sidecar got no place: nothing of it lies anywhere."""
    con.execute("DELETE FROM journal WHERE file_id = ?", (sidecar_id,))
    con.execute(
        "UPDATE media_files SET state = 'rejected', bundle_id = NULL, bundle_role = NULL,"
        " reason = ?, updated_at = ? WHERE id = ? AND state = 'studied'",
        (reason, at, sidecar_id),
    )


def give_up_unfinished(con: sqlite3.Connection, at: str) -> None:
    """Sidecars that a crash left without a place: the next run writes them anew."""
    rows = con.execute(
        "SELECT id FROM media_files WHERE state = 'studied' AND source_dir = ?",
        (os.fsencode(FOLDER),),
    ).fetchall()
    for row in rows:
        give_up(con, row["id"], "It was not finished.", at)


def set_apart(con: sqlite3.Connection, file_ids: Sequence[str], at: str) -> None:
    """These files belong to nothing any more: what is done to them is done to them alone."""
    for file_id in file_ids:
        bundles.assign(con, file_id, None, None, at)


def _bundle_for(con: sqlite3.Connection, file_id: str, clock: Clock) -> str:
    now = clock.now()
    bundle_id, at = new_id(now), timestamp(now)
    row = con.execute("SELECT owner_id FROM media_files WHERE id = ?", (file_id,)).fetchone()
    bundles.create(con, bundle_id, row["owner_id"], None, at)
    bundles.assign(con, file_id, bundle_id, BundleRole.PRIMARY, at)
    return bundle_id


def _sayable(con: sqlite3.Connection, owner_id: str, row: sqlite3.Row) -> Sayable:
    people = search.people_in(con, row["id"])
    regions = [
        region
        for text in search.facts_about(con, row["id"])
        if '"regions"' in text
        for region in json.loads(text).get("regions", ())
    ]
    return Sayable(
        id=row["id"],
        path=row["path"],
        bundle_id=row["bundle_id"],
        width=row["width"],
        height=row["height"],
        orientation=row["orientation"],
        rating=row["rating"],
        tags=tags.of(con, owner_id, row["id"]),
        people=tuple(sorted(people)),
        faces=_faces(con, row["id"]),
        regions=tuple(one for one in regions if one.get("name") in people),
        beside=_beside(con, row["bundle_id"]),
        said=edits.of(con, row["id"]).said,
    )


def _faces(con: sqlite3.Connection, file_id: str) -> tuple[Named, ...]:
    rows = con.execute(
        "SELECT p.name, f.x, f.y, f.w, f.h FROM faces f JOIN people p ON p.id = f.person_id"
        " WHERE f.file_id = ? AND p.name IS NOT NULL AND p.consent <> 'no' AND p.is_hidden = 0"
        " ORDER BY p.name, f.x, f.y, f.id",
        (file_id,),
    )
    return tuple(Named(**dict(row)) for row in rows)


def _beside(con: sqlite3.Connection, bundle_id: str | None) -> tuple[Beside, ...]:
    rows = con.execute(
        "SELECT id, path FROM media_files WHERE bundle_id = ? AND bundle_role = 'sidecar'"
        " AND format = 'xmp' AND state = 'done' AND path IS NOT NULL ORDER BY path",
        (bundle_id,),
    )
    return tuple(Beside(**dict(row)) for row in rows)
