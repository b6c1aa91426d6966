"""The numbers that faces and pictures are compared by, as whoever searches among them reads them.

Faces keep theirs in their rows, where a family can have them erased; pictures in the remembered
results of the stage `features`. All are little-endian 16-bit floats of unit length.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Iterator

_ALIVE = "('studied', 'placing', 'placed', 'done', 'missing')"
_PICTURES = (
    "SELECT m.id, json_extract(r.facts, '$.vector') AS vector, max(r.version)"
    " FROM media_files m JOIN stage_results r ON r.sha256 = m.sha256"
    f" WHERE m.owner_id = ?1 AND m.state IN {_ALIVE} AND r.stage = 'features'"
    " AND r.outcome = 'done'"
)


def of_faces(con: sqlite3.Connection, owner_id: str) -> Iterator[tuple[str, str, bytes]]:
    """Id, embedder and embedding of every face of the owner that has one, in a living file."""
    rows = con.execute(
        "SELECT f.id, f.embedder, f.embedding FROM faces f JOIN media_files m ON m.id = f.file_id"
        f" WHERE f.owner_id = ? AND f.embedding IS NOT NULL AND m.state IN {_ALIVE}",
        (owner_id,),
    )
    return ((row["id"], row["embedder"], row["embedding"]) for row in rows)


def of_pictures(con: sqlite3.Connection, owner_id: str) -> Iterator[tuple[str, bytes]]:
    """Id and vector of every living picture of the owner that was looked at."""
    for row in con.execute(f"{_PICTURES} GROUP BY m.id", (owner_id,)):
        vector = _bytes(row["vector"])
        if vector is not None:
            yield row["id"], vector


def of_picture(con: sqlite3.Connection, owner_id: str, file_id: str) -> bytes | None:
    """The vector of one living picture of the owner; None where there is none."""
    row = con.execute(f"{_PICTURES} AND m.id = ?2 GROUP BY m.id", (owner_id, file_id)).fetchone()
    return None if row is None else _bytes(row["vector"])


def _bytes(text: object) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return None
    return data if data and len(data) % 2 == 0 else None
