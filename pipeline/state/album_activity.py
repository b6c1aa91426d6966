"""What people say and do in an album: files added, comments, favourites; and what is new to whom.

The ids of activities sort by time, so that the newest one somebody saw says all they have seen.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pipeline.errors import NotFound
from pipeline.events import AlbumCommented, AlbumFavourite, AlbumUncommented
from pipeline.state import audit, events
from pipeline.state.audit import By


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that somebody did. `file_id` None: about the album as a whole."""

    id: str
    user_id: str
    name: str  # how they are called
    kind: str  # "added", "commented" or "favourite"
    file_id: str | None
    files: int  # of "added"
    text: str | None  # of "commented"
    at: str
    is_new: bool  # to who looks


@dataclass(frozen=True, slots=True)
class Comment:
    """Words about an album, or about one file in it."""

    id: str
    text: str
    file_id: str | None = None


def comment(con: sqlite3.Connection, by: By, album_id: str, said: Comment) -> None:
    """Say something. The caller has made sure that the file is in the album."""
    con.execute(
        "INSERT INTO album_activity (id, album_id, user_id, kind, file_id, text, at)"
        " VALUES (?, ?, ?, 'commented', ?, ?, ?)",
        (said.id, album_id, by.actor.user_id, said.file_id, said.text, by.at),
    )
    audit.tell(con, by, AlbumCommented(album_id, said.id, said.file_id))


def uncomment(
    con: sqlite3.Connection, by: By, album_id: str, comment_id: str, *, whosever: bool
) -> None:
    """Take back one's own comment, or with `whosever` anybody's. Raises `NotFound`."""
    gone = con.execute(
        "DELETE FROM album_activity WHERE id = ? AND album_id = ? AND kind = 'commented'"
        " AND (? OR user_id = ?)",
        (comment_id, album_id, whosever, by.actor.user_id),
    ).rowcount
    if not gone:
        raise NotFound("There is no such comment of yours.")
    audit.tell(con, by, AlbumUncommented(album_id, comment_id))


def favour(
    con: sqlite3.Connection, by: By, album_id: str, file_id: str, activity_id: str | None
) -> bool:
    """Mark a file as a favourite, or with None no longer; False where it was so already."""
    if activity_id is None:
        changed = con.execute(
            "DELETE FROM album_activity WHERE album_id = ? AND file_id = ? AND user_id = ?"
            " AND kind = 'favourite'",
            (album_id, file_id, by.actor.user_id),
        ).rowcount
    else:
        changed = con.execute(
            "INSERT INTO album_activity (id, album_id, user_id, kind, file_id, at)"
            " VALUES (?, ?, ?, 'favourite', ?, ?) ON CONFLICT DO NOTHING",
            (activity_id, album_id, by.actor.user_id, file_id, by.at),
        ).rowcount
    if changed:
        event = AlbumFavourite(album_id, file_id, activity_id is not None)
        events.append(con, event, actor=by.actor.label, at=by.at)
    return bool(changed)


def feed(
    con: sqlite3.Connection, user_id: str, album_id: str, before: str | None, limit: int
) -> list[Activity]:
    """What happened in an album before the activity `before`, the newest first.

    What was said about files that left the album is not told, unless they come back.
    """
    rows = con.execute(
        f"{_FEED} AND (:before IS NULL OR c.id < :before) ORDER BY c.id DESC LIMIT :limit",
        {"user": user_id, "album": album_id, "before": before, "limit": limit},
    )
    return [_activity(row) for row in rows]


def about(con: sqlite3.Connection, user_id: str, album_id: str, file_id: str) -> list[Activity]:
    """What was said about one file in an album, the oldest first."""
    rows = con.execute(
        f"{_FEED} AND c.file_id = :file AND c.kind <> 'added' ORDER BY c.id",
        {"user": user_id, "album": album_id, "file": file_id},
    )
    return [_activity(row) for row in rows]


def look(con: sqlite3.Connection, user_id: str, album_id: str, upto: str | None = None) -> None:
    """Remember that somebody has seen all there is, or all up to one activity; never less."""
    con.execute(
        "INSERT INTO album_seen (album_id, user_id, activity)"
        " SELECT :album, :user, id FROM album_activity"
        " WHERE album_id = :album AND (:upto IS NULL OR id <= :upto) ORDER BY id DESC LIMIT 1"
        " ON CONFLICT DO UPDATE SET activity = max(activity, excluded.activity)",
        {"user": user_id, "album": album_id, "upto": upto},
    )


_FEED = """SELECT c.id, c.user_id, coalesce(u.display_name, u.username) AS name, c.kind,
    f.file_id, c.files, c.text, c.at,
    c.user_id <> :user AND c.id > coalesce(s.activity, '') AS is_new
    FROM album_activity c JOIN users u ON u.id = c.user_id
    LEFT JOIN album_files f ON f.album_id = c.album_id AND f.file_id = c.file_id
    LEFT JOIN album_seen s ON s.album_id = c.album_id AND s.user_id = :user
    WHERE c.album_id = :album
    AND (c.kind = 'added' OR c.file_id IS NULL OR f.file_id IS NOT NULL)"""


def _activity(row: sqlite3.Row) -> Activity:
    return Activity(**{**dict(row), "is_new": bool(row["is_new"])})
