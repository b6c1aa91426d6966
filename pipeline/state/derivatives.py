"""Which derivatives a content has: files below the cache, which may be gone at any time."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Derived:
    """One derivative; `path` is below the cache."""

    kind: str
    version: int
    path: str
    mime: str
    width: int
    height: int
    bytes: int


def of(con: sqlite3.Connection, sha256: str) -> list[Derived]:
    """The newest derivative of each kind of this content."""
    rows = con.execute(
        "SELECT kind, version, path, mime, width, height, bytes FROM derivatives"
        " WHERE sha256 = ? ORDER BY kind, version",
        (sha256,),
    )
    return list({row["kind"]: Derived(**dict(row)) for row in rows}.values())
