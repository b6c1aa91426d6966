"""From candidates to rows: what is known already, and what is new."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.model import Candidate, Take

BATCH = 500  # candidates per transaction; one bound value each


@dataclass(frozen=True, slots=True)
class NewFile:
    """A candidate with what its row needs besides."""

    id: str
    candidate: Candidate
    directory: str
    bucket: str


@dataclass(frozen=True, slots=True)
class KnownSource:
    """The newest row of a source path."""

    file_id: str
    size: int
    mtime_ns: int
    inode: int
    state: str
    is_asked: bool  # is a task for it open?


def known(
    con: sqlite3.Connection, root_id: str, candidates: Sequence[Candidate]
) -> Mapping[str, KnownSource]:
    """By path: the newest row of each candidate seen before. One statement, at most `BATCH`."""
    marks = ", ".join("?" * len(candidates))
    rows = con.execute(
        "SELECT id, source_path, size, mtime_ns, inode, state, EXISTS (SELECT 1 FROM tasks"
        "  WHERE file_id = media_files.id AND status IN ('queued', 'claimed')) AS is_asked"
        " FROM media_files"
        f" WHERE root_id = ? AND source_path IN ({marks}) ORDER BY id",
        (root_id, *(os.fsencode(candidate.path) for candidate in candidates)),
    )
    return {
        os.fsdecode(row["source_path"]): KnownSource(
            row["id"],
            row["size"],
            row["mtime_ns"],
            row["inode"],
            row["state"],
            bool(row["is_asked"]),
        )
        for row in rows
    }


def add(
    con: sqlite3.Connection, files: Sequence[NewFile], *, owner_id: str, take: Take, at: str
) -> None:
    """Rows in state `found`."""
    con.executemany(
        "INSERT INTO media_files (id, owner_id, root_id, source_path, source_dir, bucket, take,"
        " size, mtime_ns, inode, state, found_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'found', ?, ?)",
        [
            (
                new.id,
                owner_id,
                new.candidate.root_id,
                os.fsencode(new.candidate.path),
                os.fsencode(new.directory),
                new.bucket,
                take,
                new.candidate.size,
                new.candidate.mtime_ns,
                new.candidate.inode,
                at,
                at,
            )
            for new in files
        ],
    )


def refresh(con: sqlite3.Connection, file_id: str, candidate: Candidate, at: str) -> None:
    """A file that was found but not studied yet has changed: the row follows it."""
    con.execute(
        "UPDATE media_files SET size = ?, mtime_ns = ?, inode = ?, updated_at = ?"
        " WHERE id = ? AND state = 'found'",
        (candidate.size, candidate.mtime_ns, candidate.inode, at, file_id),
    )
