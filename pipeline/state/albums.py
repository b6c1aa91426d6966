"""Albums: what they are called, and which files are in them.

An album may hold files of several people: each put in what was theirs to show. Every change is an
event and a line of the audit log; a deleted album can be taken back for as long as trash. Who sees
an album is read by `ways.py`, what people say in it stands in `album_activity.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import Conflict, NotFound
from pipeline.events import (
    AlbumChanged,
    AlbumDeleted,
    AlbumFilesAdded,
    AlbumFilesRemoved,
    AlbumMade,
)
from pipeline.state import audit, files, versions
from pipeline.state.audit import By
from pipeline.state.files import FileRow

MOST_FILES = 100_000  # in one album: beyond that a search does better
_THERE = "state IN ('placing', 'placed', 'done', 'missing')"


@dataclass(frozen=True, slots=True)
class Words:
    """What an album says of itself. `cover` is a file in it; None: the newest taken."""

    title: str
    description: str = ""
    cover: str | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """One album as one person sees it. `new_*` count what others did since they last looked."""

    id: str
    owner_id: str
    owner: str
    title: str
    description: str
    cover: str | None
    chosen_cover: str | None  # None: the newest taken is the cover
    version: int
    created_at: str
    updated_at: str
    files: int
    new_files: int
    new_comments: int


@dataclass(frozen=True, slots=True)
class AlbumFile:
    """A file in an album, and what was said about it there."""

    row: FileRow
    added_by: str
    favourites: int
    is_favourite: bool  # of who looks
    comments: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of files ended: newest taken come first."""

    taken: str
    id: str


def make(con: sqlite3.Connection, by: By, album_id: str, words: Words) -> None:
    """A new album of the actor's own, empty."""
    con.execute(
        "INSERT INTO albums (id, owner_id, title, description, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (album_id, by.actor.user_id, words.title, words.description, by.at, by.at),
    )
    audit.tell(con, by, AlbumMade(album_id), after={"title": words.title})


def change(
    con: sqlite3.Connection, by: By, album_id: str, words: Words, seen: int | None = None
) -> None:
    """Another title, description or cover. Raises `NotFound`, and `Conflict` where `seen` is old.

    A cover that is not in the album is `NotFound`, too.
    """
    old = _words(con, album_id, seen)
    if words.cover is not None:
        require_file(con, album_id, words.cover)
    con.execute(
        "UPDATE albums SET title = ?, description = ?, cover_file_id = ?, updated_at = ?,"
        " version = version + 1 WHERE id = ?",
        (words.title, words.description, words.cover, by.at, album_id),
    )
    audit.tell(con, by, AlbumChanged(album_id), before=_told(old), after=_told(words))


def delete(con: sqlite3.Connection, by: By, album_id: str, seen: int | None = None) -> None:
    """Take an album away; its files stay where they are. Raises as `change`."""
    old = _words(con, album_id, seen)
    con.execute(
        "UPDATE albums SET deleted_at = ?, version = version + 1 WHERE id = ?", (by.at, album_id)
    )
    audit.tell(con, by, AlbumDeleted(album_id), before=_told(old))


def restore(con: sqlite3.Connection, by: By, album_id: str) -> None:
    """Bring back an album that the actor deleted, with all that was in it. Raises `NotFound`."""
    back = con.execute(
        "UPDATE albums SET deleted_at = NULL, version = version + 1"
        " WHERE id = ? AND owner_id = ? AND deleted_at IS NOT NULL",
        (album_id, by.actor.user_id),
    ).rowcount
    if not back:
        raise NotFound("There is no such album among the deleted ones.")
    audit.tell(con, by, AlbumMade(album_id), after=_told(_words(con, album_id, None)))


def forget(con: sqlite3.Connection, before: str) -> int:
    """Let go of albums deleted before that moment, with what was said in them; how many."""
    return con.execute("DELETE FROM albums WHERE deleted_at < ?", (before,)).rowcount


# --- files -------------------------------------------------------------------------------------


def add(
    con: sqlite3.Connection, by: By, album_id: str, file_ids: Sequence[str], activity_id: str
) -> int:
    """Put files of the library into an album; how many were not in it before.

    The caller has made sure that the actor may show them. Raises `Conflict` for an album that
    would become too large.
    """
    added = con.execute(
        "INSERT INTO album_files (album_id, file_id, added_by, added_in)"
        " SELECT ?, m.id, ?, ? FROM json_each(?) j JOIN media_files m ON m.id = j.value"
        f" WHERE m.{_THERE} AND m.category IS NOT 'sidecar' ON CONFLICT DO NOTHING",
        (album_id, by.actor.user_id, activity_id, json.dumps(list(file_ids))),
    ).rowcount
    if added == 0:
        return 0
    _require_room(con, album_id)
    con.execute(
        "INSERT INTO album_activity (id, album_id, user_id, kind, file_id, files, at)"
        " VALUES (?, ?, ?, 'added', ?, ?, ?)",
        (activity_id, album_id, by.actor.user_id, _first(con, album_id, activity_id), added, by.at),
    )
    _touch(con, album_id, by.at)
    after = {"files": [*file_ids][:100], "count": added}
    audit.tell(con, by, AlbumFilesAdded(album_id, added), after=after)
    return added


def remove(con: sqlite3.Connection, by: By, album_id: str, file_ids: Sequence[str]) -> int:
    """Take files out of an album; how many were in it. They stay in the library."""
    gone = con.execute(
        "DELETE FROM album_files WHERE album_id = ? AND file_id IN"
        " (SELECT value FROM json_each(?))",
        (album_id, json.dumps(list(file_ids))),
    ).rowcount
    if gone == 0:
        return 0
    con.execute(
        "UPDATE albums SET cover_file_id = NULL WHERE id = ?1 AND cover_file_id NOT IN"
        " (SELECT file_id FROM album_files WHERE album_id = ?1)",
        (album_id,),
    )
    _touch(con, album_id, by.at)
    before = {"files": [*file_ids][:100], "count": gone}
    audit.tell(con, by, AlbumFilesRemoved(album_id, gone), before=before)
    return gone


def owners(con: sqlite3.Connection, file_ids: Iterable[str]) -> dict[str, str]:
    """Whose these files are, by id, of those that are in a library."""
    rows = con.execute(
        "SELECT m.id, m.owner_id FROM json_each(?) j JOIN media_files m ON m.id = j.value"
        f" WHERE m.{_THERE} AND m.category IS NOT 'sidecar'",
        (json.dumps(list(file_ids)),),
    )
    return {row["id"]: row["owner_id"] for row in rows}


def removable(con: sqlite3.Connection, album_id: str, user_id: str) -> list[str]:
    """The files in an album that somebody may always take out: their own, and what they added."""
    rows = con.execute(
        "SELECT a.file_id FROM album_files a JOIN media_files m ON m.id = a.file_id"
        " WHERE a.album_id = ?1 AND (m.owner_id = ?2 OR a.added_by = ?2)",
        (album_id, user_id),
    )
    return [row["file_id"] for row in rows]


def require_file(con: sqlite3.Connection, album_id: str, file_id: str) -> None:
    """Raises `NotFound` for a file that is not in the album."""
    row = con.execute(
        "SELECT 1 FROM album_files a JOIN media_files m ON m.id = a.file_id"
        f" WHERE a.album_id = ? AND a.file_id = ? AND m.{_THERE}",
        (album_id, file_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such file in this album.")


# --- looking -----------------------------------------------------------------------------------

_ALBUM = f"""SELECT a.id, a.owner_id, coalesce(u.display_name, u.username) AS owner, a.title,
    a.description, a.cover_file_id AS chosen_cover, a.version, a.created_at, a.updated_at,
    coalesce((SELECT id FROM media_files WHERE id = a.cover_file_id AND {_THERE}),
        (SELECT m.id FROM album_files f JOIN media_files m ON m.id = f.file_id
         WHERE f.album_id = a.id AND m.{_THERE}
         ORDER BY coalesce(m.taken_utc, '') DESC, m.id DESC LIMIT 1)) AS cover,
    (SELECT count(*) FROM album_files f JOIN media_files m ON m.id = f.file_id
        WHERE f.album_id = a.id AND m.{_THERE}) AS files,
    (SELECT count(*) FROM album_files f JOIN media_files m ON m.id = f.file_id
        WHERE f.album_id = a.id AND m.{_THERE} AND f.added_by <> :user
        AND f.added_in > coalesce(s.activity, '')) AS new_files,
    (SELECT count(*) FROM album_activity c WHERE c.album_id = a.id AND c.kind = 'commented'
        AND c.user_id <> :user AND c.id > coalesce(s.activity, '')) AS new_comments
    FROM albums a JOIN users u ON u.id = a.owner_id
    LEFT JOIN album_seen s ON s.album_id = a.id AND s.user_id = :user"""


def get(con: sqlite3.Connection, user_id: str, album_id: str) -> Album:
    """One album as `user_id` sees it; whether they may is not asked here. Raises `NotFound`."""
    row = con.execute(
        f"{_ALBUM} WHERE a.id = :album AND a.deleted_at IS NULL",
        {"user": user_id, "album": album_id},
    ).fetchone()
    if row is None:
        raise NotFound("There is no such album.")
    return Album(**dict(row))


def deleted(con: sqlite3.Connection, user_id: str) -> list[Album]:
    """The albums that somebody deleted and can still take back, the newest deleted first."""
    rows = con.execute(
        f"{_ALBUM} WHERE a.owner_id = :user AND a.deleted_at IS NOT NULL"
        " ORDER BY a.deleted_at DESC, a.id",
        {"user": user_id},
    )
    return [Album(**dict(row)) for row in rows]


_FILE = ", ".join(f"m.{name}" for name in files.COLUMNS)


def page(
    con: sqlite3.Connection, user_id: str, album_id: str, after: Place | None, limit: int
) -> list[AlbumFile]:
    """Up to `limit` files of an album behind `after`, the newest taken first."""
    rows = con.execute(
        f"""SELECT {_FILE}, f.added_by,
        (SELECT count(*) FROM album_activity c WHERE c.album_id = f.album_id
            AND c.file_id = f.file_id AND c.kind = 'favourite') AS favourites,
        EXISTS (SELECT 1 FROM album_activity c WHERE c.album_id = f.album_id
            AND c.file_id = f.file_id AND c.kind = 'favourite' AND c.user_id = :user) AS is_mine,
        (SELECT count(*) FROM album_activity c WHERE c.album_id = f.album_id
            AND c.file_id = f.file_id AND c.kind = 'commented') AS comments
        FROM album_files f JOIN media_files m ON m.id = f.file_id
        WHERE f.album_id = :album AND m.{_THERE}
        AND (:id IS NULL OR (coalesce(m.taken_utc, ''), m.id) < (:taken, :id))
        ORDER BY coalesce(m.taken_utc, '') DESC, m.id DESC LIMIT :limit""",
        {
            "user": user_id,
            "album": album_id,
            "taken": after and after.taken,
            "id": after and after.id,
            "limit": limit,
        },
    )
    return [_album_file(row) for row in rows]


def holding(con: sqlite3.Connection, file_id: str) -> list[str]:
    """The albums that a file is in."""
    rows = con.execute(
        "SELECT f.album_id FROM album_files f JOIN albums a ON a.id = f.album_id"
        " WHERE f.file_id = ? AND a.deleted_at IS NULL ORDER BY f.album_id",
        (file_id,),
    )
    return [row["album_id"] for row in rows]


def titles_holding(
    con: sqlite3.Connection, user_id: str, file_ids: Sequence[str]
) -> dict[str, str]:
    """Titles by id of the albums that hold any of these files and are the person's own, or where
    they put it in themselves."""
    rows = con.execute(
        "SELECT DISTINCT a.id, a.title FROM album_files f JOIN albums a ON a.id = f.album_id"
        " WHERE f.file_id IN (SELECT value FROM json_each(?1)) AND a.deleted_at IS NULL"
        " AND (a.owner_id = ?2 OR f.added_by = ?2) ORDER BY a.id",
        (json.dumps(list(file_ids)), user_id),
    )
    return {row["id"]: row["title"] for row in rows}


def _album_file(row: sqlite3.Row) -> AlbumFile:
    favourites, mine = row["favourites"], bool(row["is_mine"])
    return AlbumFile(files.row_of(row), row["added_by"], favourites, mine, row["comments"])


def _words(con: sqlite3.Connection, album_id: str, seen: int | None) -> Words:
    row = con.execute(
        "SELECT title, description, cover_file_id, version FROM albums"
        " WHERE id = ? AND deleted_at IS NULL",
        (album_id,),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such album.")
    versions.require(row["version"], seen)
    return Words(row["title"], row["description"], row["cover_file_id"])


def _told(words: Words) -> dict[str, str | None]:
    return {"title": words.title, "description": words.description, "cover": words.cover}


def _first(con: sqlite3.Connection, album_id: str, activity_id: str) -> str:
    """One of the files that came together, to be shown for all of them."""
    row = con.execute(
        "SELECT file_id FROM album_files WHERE album_id = ? AND added_in = ? LIMIT 1",
        (album_id, activity_id),
    ).fetchone()
    return str(row["file_id"])


def _require_room(con: sqlite3.Connection, album_id: str) -> None:
    count = con.execute(
        "SELECT count(*) FROM album_files WHERE album_id = ?", (album_id,)
    ).fetchone()[0]
    if count > MOST_FILES:
        raise Conflict(f"An album holds {MOST_FILES:,} files at most; nothing was added.")


def _touch(con: sqlite3.Connection, album_id: str, at: str) -> None:
    con.execute("UPDATE albums SET updated_at = ? WHERE id = ?", (at, album_id))
