"""The version of what is known of a file: another one whenever anything about it is another.

It is made from the rows themselves, so no writer has to remember to count.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3

from pipeline.errors import NotFound
from pipeline.state import edits, tags, versions


def of(con: sqlite3.Connection, owner_id: str, file_id: str) -> str:
    """The version of one file of this owner. Raises `NotFound`."""
    row = con.execute(
        "SELECT *, (SELECT group_concat(kind || version || bytes) FROM derivatives d"
        " WHERE d.sha256 = f.sha256) AS made FROM media_files f WHERE id = ? AND owner_id = ?",
        (file_id, owner_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such file in the library.")
    said = edits.of(con, file_id).said
    given = {tag: str(origin) for tag, origin in tags.stored(con, file_id).items()}
    told = json.dumps([*map(str, row), said, given], sort_keys=True)
    return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=12).hexdigest()


def require(con: sqlite3.Connection, owner_id: str, file_id: str, seen: str | None) -> None:
    """Raises `Stale` where the file changed since that version; None: never mind."""
    if seen is not None:
        versions.require(of(con, owner_id, file_id), seen)
