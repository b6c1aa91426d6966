"""Files put into an album as part of a job, so that they can be taken out of it again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pipeline.clock import Clock, new_id, timestamp
from pipeline.events import AlbumFilesRemoved
from pipeline.state import audit
from pipeline.state.journal import Entry


def note(
    con: sqlite3.Connection, job_id: str, album_id: str, activity_id: str, clock: Clock
) -> None:
    """Remember which files came into the album with this activity."""
    now = clock.now()
    rows = con.execute(
        "SELECT file_id FROM album_files WHERE album_id = ? AND added_in = ?",
        (album_id, activity_id),
    ).fetchall()
    con.executemany(
        "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
        " VALUES (?, ?, ?, 'album', '{}', ?, ?)",
        [
            (
                new_id(now),
                job_id,
                row["file_id"],
                json.dumps({"album": album_id, "activity": activity_id}),
                timestamp(now),
            )
            for row in rows
        ],
    )


def revert(con: sqlite3.Connection, entries: Sequence[Entry], clock: Clock, *, actor: str) -> None:
    """Take these files out again, as far as they are in by what the job did."""
    at = timestamp(clock.now())
    gone: dict[str, int] = {}
    for entry in entries:
        album, activity = str(entry.after["album"]), str(entry.after["activity"])
        count = con.execute(
            "DELETE FROM album_files WHERE album_id = ? AND file_id = ? AND added_in = ?",
            (album, entry.file_id, activity),
        ).rowcount
        gone[album] = gone.get(album, 0) + count
        con.execute("UPDATE journal SET undone_at = ? WHERE id = ?", (at, entry.id))
    for album, count in gone.items():
        con.execute(
            "UPDATE albums SET updated_at = ?2, cover_file_id = CASE WHEN cover_file_id IN"
            " (SELECT file_id FROM album_files WHERE album_id = ?1) THEN cover_file_id END"
            " WHERE id = ?1",
            (album, at),
        )
        if count:
            gone_from = AlbumFilesRemoved(album, count)
            audit.tell_as(con, actor, gone_from, at, before={"files": count})
