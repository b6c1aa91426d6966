"""A state with a family's files in it, made by plain SQL, and nothing of the rooms above it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

OWNER = "owner"
AT = "2024-05-17T12:00:00.000Z"


def add_household(con: sqlite3.Connection, owner_id: str = OWNER) -> None:
    """A user and a root of theirs."""
    con.execute(
        "INSERT INTO users (id, username, role, created_at) VALUES (?, ?, 'owner', ?)",
        (owner_id, owner_id, AT),
    )
    con.execute(
        "INSERT INTO roots (id, path, kind, take, owner_id, created_at)"
        " VALUES (?, ?, 'inbox', 'move', ?, ?)",
        (f"root-{owner_id}", f"/inbox/{owner_id}".encode(), owner_id, AT),
    )


def add_file(con: sqlite3.Connection, file_id: str, owner_id: str = OWNER, **more: Any) -> None:
    """One photo that lies in the library; `more` are columns."""
    values: dict[str, Any] = {
        "id": file_id,
        "owner_id": owner_id,
        "root_id": f"root-{owner_id}",
        "source_path": f"{file_id}.jpg".encode(),
        "source_dir": b"",
        "bucket": file_id,
        "take": "move",
        "size": 1000,
        "mtime_ns": 1,
        "inode": 1,
        "state": "done",
        "sha256": f"sha-{owner_id}-{file_id}",
        "category": "photo",
        "path": f"{owner_id}/{file_id}.jpg",
        "found_at": AT,
        "updated_at": AT,
        **more,
    }
    marks = ", ".join("?" * len(values))
    con.execute(
        f"INSERT INTO media_files ({', '.join(values)}) VALUES ({marks})", (*values.values(),)
    )


def add_files(con: sqlite3.Connection, file_ids: Sequence[str]) -> None:
    """Several photos of the owner."""
    for file_id in file_ids:
        add_file(con, file_id)


def file_count(con: sqlite3.Connection) -> int:
    """How many files the state knows, of whatever state."""
    return int(con.execute("SELECT count(*) FROM media_files NOT INDEXED").fetchone()[0])
