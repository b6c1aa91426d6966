"""The ways by which somebody comes to see a library, an album or a file. Reading only.

A thing is one's own; or it is lent, directly or to a team one is in; or it lies in something that
is. An album lends a look at its files, whatever more it lends of itself. A file that is seen shows
the rest of its bundle with it, but for the sidecars; one in the trash only with the library.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

OWN = "own"


@dataclass(frozen=True, slots=True)
class Way:
    """One way. `owner_id` is whose the thing is; what does not lie on the way is None."""

    permission: str  # "own" or one of grants.WORDS
    lent: str | None  # "library", "album" or "file"; None: one's own thing, or own album
    owner_id: str
    team_id: str | None = None
    team: str | None = None
    album_id: str | None = None
    album: str | None = None
    album_owner_id: str | None = None


_LENT = (
    "SELECT p.permission, p.resource_type AS lent, t.id AS team_id, t.name AS team"
    " FROM user_permissions p LEFT JOIN teams t ON t.id = p.team_id"
    " WHERE p.resource_type = :kind AND p.resource_id = :id AND (p.user_id = :user"
    " OR p.team_id IN (SELECT team_id FROM team_members WHERE user_id = :user))"
)
_HELD = (  # the things of one kind that are lent to somebody
    "SELECT resource_id FROM user_permissions WHERE resource_type = '{}' AND user_id = :user"
    " UNION SELECT p.resource_id FROM team_members m JOIN user_permissions p"
    " ON p.team_id = m.team_id WHERE m.user_id = :user AND p.resource_type = '{}'"
)
_SEEN_ALBUMS = (
    "SELECT id, owner_id, title FROM albums WHERE deleted_at IS NULL AND (owner_id = :user"
    f" OR id IN ({_HELD.format('album', 'album')})"
    f" OR owner_id IN ({_HELD.format('library', 'library')}))"
)


def to_library(con: sqlite3.Connection, user_id: str, owner_id: str) -> list[Way]:
    """How somebody sees the library of `owner_id`."""
    own = [Way(OWN, None, owner_id)] if user_id == owner_id else []
    return own + _lent(con, user_id, "library", owner_id, owner_id)


def to_album(con: sqlite3.Connection, user_id: str, album_id: str) -> list[Way]:
    """How somebody sees an album."""
    row = con.execute(
        "SELECT id, owner_id, title FROM albums WHERE id = ? AND deleted_at IS NULL", (album_id,)
    ).fetchone()
    return [] if row is None else _to_album(con, user_id, row)


def to_albums(con: sqlite3.Connection, user_id: str) -> dict[str, list[Way]]:
    """Every album that somebody sees, by id, and how."""
    rows = con.execute(_SEEN_ALBUMS, {"user": user_id}).fetchall()
    return {row["id"]: _to_album(con, user_id, row) for row in rows}


def to_file(con: sqlite3.Connection, user_id: str, file_id: str) -> list[Way]:
    """How somebody sees a file; of one's own that it is one's own, and nothing else."""
    row = con.execute(
        "SELECT id, owner_id, bundle_id, category,"
        " state IN ('placing', 'placed', 'done', 'missing') AS is_there"
        " FROM media_files WHERE id = ? AND state <> 'purged'",
        (file_id,),
    ).fetchone()
    if row is None:
        return []
    owner_id = row["owner_id"]
    if owner_id == user_id:
        return [Way(OWN, None, owner_id)]
    found = _lent(con, user_id, "library", owner_id, owner_id)
    for kin in _kin(con, row) if row["is_there"] else ():
        found += _lent(con, user_id, "file", kin, owner_id)
        found += _through_albums(con, user_id, kin, owner_id)
    return found


def _lent(
    con: sqlite3.Connection, user_id: str, kind: str, thing_id: str, owner_id: str
) -> list[Way]:
    rows = con.execute(_LENT, {"kind": kind, "id": thing_id, "user": user_id})
    return [Way(owner_id=owner_id, **dict(row)) for row in rows]


def _to_album(con: sqlite3.Connection, user_id: str, album: sqlite3.Row) -> list[Way]:
    owner_id = album["owner_id"]
    found = [Way(OWN, None, owner_id)] if owner_id == user_id else []
    found += _lent(con, user_id, "album", album["id"], owner_id)
    found += _lent(con, user_id, "library", owner_id, owner_id)
    through = {"album_id": album["id"], "album": album["title"], "album_owner_id": owner_id}
    return [replace(way, **through) for way in found]


def _through_albums(
    con: sqlite3.Connection, user_id: str, file_id: str, owner_id: str
) -> list[Way]:
    """By the albums that a file is in: each lends a look, and no more."""
    rows = con.execute(
        "SELECT a.id, a.owner_id, a.title FROM album_files f JOIN albums a ON a.id = f.album_id"
        " WHERE f.file_id = ? AND a.deleted_at IS NULL ORDER BY a.id",
        (file_id,),
    ).fetchall()
    found = [way for row in rows for way in _to_album(con, user_id, row)]
    return [replace(way, permission="view", owner_id=owner_id) for way in found]


def _kin(con: sqlite3.Connection, file: sqlite3.Row) -> list[str]:
    """The file and those of its bundle that it is seen with; a sidecar is seen by itself."""
    if file["bundle_id"] is None or file["category"] == "sidecar":
        return [file["id"]]
    rows = con.execute(
        "SELECT id FROM media_files WHERE bundle_id = ? ORDER BY id", (file["bundle_id"],)
    )
    return [row["id"] for row in rows]
