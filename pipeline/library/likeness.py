"""Photos like this one: by what is in them, not by their pixels.

`nearest` reads through the state once and compares with every picture, exactly: right for a single
question. Who answers many questions fills a `neighbours.Index` once with `fill`.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.library.neighbours import Index, Match
from pipeline.state import vectors

_BATCH = 2_048
Rows = NDArray[np.float32]


def nearest(con: sqlite3.Connection, owner_id: str, file_id: str, limit: int) -> list[Match] | None:
    """The owner's pictures most like one of theirs, the likest first, without itself.

    None where the picture was not looked at, or is nobody's one knows.
    """
    data = vectors.of_picture(con, owner_id, file_id)
    if data is None:
        return None
    asked = _rows([data])[0]
    best: list[tuple[float, str]] = []
    for ids, rows in _batches(con, owner_id, len(data)):
        similar = (rows @ asked).tolist()
        found = (one for one in zip(similar, ids, strict=True) if one[1] != file_id)
        best = heapq.nlargest(limit, (*best, *found))
    return [Match(id, round(similarity, 6)) for similarity, id in best]


def fill(con: sqlite3.Connection, owner_id: str, dims: int) -> Index:
    """An index of all pictures of the owner with vectors of so many numbers."""
    index = Index(dims)
    for ids, rows in _batches(con, owner_id, 2 * dims):
        index.add(ids, rows)
    return index


def _batches(con: sqlite3.Connection, owner_id: str, size: int) -> Iterator[tuple[list[str], Rows]]:
    ids: list[str] = []
    found: list[bytes] = []
    for file_id, data in vectors.of_pictures(con, owner_id):
        if len(data) != size:  # of another model
            continue
        ids.append(file_id)
        found.append(data)
        if len(ids) == _BATCH:
            yield ids, _rows(found)
            ids, found = [], []
    if ids:
        yield ids, _rows(found)


def _rows(found: list[bytes]) -> Rows:
    rows = np.frombuffer(b"".join(found), "<f2").reshape(len(found), -1).astype(np.float32)
    return np.nan_to_num(rows, posinf=0.0, neginf=0.0)
