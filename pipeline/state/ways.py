"""The ways by which somebody comes to see a library, an album or a file. Reading only.

A thing is one's own; or it is lent, directly or to a team one is in; or it lies in something that
is. An album lends a look at its files, whatever more it lends of itself. A file that is seen shows
the rest of its bundle with it, but for the sidecars; one in the trash only with the library.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

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


_HELD = """WITH held AS (
    SELECT resource_type, resource_id, permission, NULL AS team_id, NULL AS team
        FROM user_permissions WHERE user_id = :user
    UNION ALL SELECT p.resource_type, p.resource_id, p.permission, t.id, t.name
        FROM team_members m JOIN teams t ON t.id = m.team_id
        JOIN user_permissions p ON p.team_id = t.id WHERE m.user_id = :user)"""
_LENT = "h.permission, h.resource_type AS lent, x.owner_id, h.team_id, h.team"
_NO_ALBUM = "NULL AS album_id, NULL AS album, NULL AS album_owner_id"
_OWN = "'own' AS permission, NULL AS lent, x.owner_id, NULL AS team_id, NULL AS team"
_IN = "x.id AS album_id, x.title AS album, x.owner_id AS album_owner_id"
_LIBRARY = f"""{_HELD} SELECT {_LENT}, {_NO_ALBUM}
    FROM (SELECT :library AS owner_id) x JOIN held h
    ON h.resource_type = 'library' AND h.resource_id = x.owner_id"""
_ALBUMS = f"""
    SELECT {_OWN}, {_IN} FROM looked x WHERE x.owner_id = :user
    UNION ALL SELECT {_LENT}, {_IN} FROM looked x JOIN held h
        ON h.resource_type = 'album' AND h.resource_id = x.id
    UNION ALL SELECT {_LENT}, {_IN} FROM looked x JOIN held h
        ON h.resource_type = 'library' AND h.resource_id = x.owner_id"""
_EVERY_ALBUM = f"""{_HELD}, looked AS (SELECT * FROM albums WHERE deleted_at IS NULL) {_ALBUMS}"""
_ALBUM = f"""{_HELD}, looked AS
    (SELECT * FROM albums WHERE deleted_at IS NULL AND id = :album) {_ALBUMS}"""
_FILE = f"""{_HELD},
    asked AS (SELECT id, owner_id, bundle_id, category,
        state IN ('placing', 'placed', 'done', 'missing') AS is_there
        FROM media_files WHERE id = :file AND state <> 'purged'),
    kin AS (SELECT id FROM asked UNION SELECT m.id FROM asked x
        JOIN media_files m ON m.bundle_id = x.bundle_id WHERE x.category IS NOT 'sidecar'),
    looked AS (SELECT * FROM albums WHERE deleted_at IS NULL AND id IN
        (SELECT album_id FROM album_files WHERE file_id IN (SELECT id FROM kin)))
    SELECT {_OWN}, {_NO_ALBUM} FROM asked x WHERE x.owner_id = :user
    UNION ALL SELECT {_LENT}, {_NO_ALBUM} FROM asked x JOIN held h
        ON h.resource_type = 'library' AND h.resource_id = x.owner_id
    UNION ALL SELECT {_LENT}, {_NO_ALBUM} FROM asked x JOIN held h
        ON h.resource_type = 'file' AND h.resource_id IN (SELECT id FROM kin) WHERE x.is_there
    UNION ALL SELECT 'view', s.lent, x.owner_id, s.team_id, s.team,
        s.album_id, s.album, s.album_owner_id FROM asked x, ({_ALBUMS}) s WHERE x.is_there"""


def to_library(con: sqlite3.Connection, user_id: str, owner_id: str) -> list[Way]:
    """How somebody sees the library of `owner_id`."""
    rows = con.execute(_LIBRARY, {"user": user_id, "library": owner_id})
    lent = [Way(**dict(row)) for row in rows]
    return [Way(OWN, None, owner_id), *lent] if user_id == owner_id else lent


def to_album(con: sqlite3.Connection, user_id: str, album_id: str) -> list[Way]:
    """How somebody sees an album."""
    rows = con.execute(_ALBUM, {"user": user_id, "album": album_id})
    return [Way(**dict(row)) for row in rows]


def to_albums(con: sqlite3.Connection, user_id: str) -> dict[str, list[Way]]:
    """Every album that somebody sees, by id, and how."""
    found: dict[str, list[Way]] = {}
    for row in con.execute(_EVERY_ALBUM, {"user": user_id}):
        found.setdefault(row["album_id"], []).append(Way(**dict(row)))
    return found


def to_file(con: sqlite3.Connection, user_id: str, file_id: str) -> list[Way]:
    """How somebody sees a file."""
    rows = con.execute(_FILE, {"user": user_id, "file": file_id})
    return [Way(**dict(row)) for row in rows]
