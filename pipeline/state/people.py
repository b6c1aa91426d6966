"""The people of a family's pictures: who there is, and who is in which file.

A group of at least `SHOWN` faces, or one that a person named or decided about, is shown. Somebody
who said no, and whoever a person hid, is never named.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import NotFound
from pipeline.state.faces import COLUMNS, Face, face_of, learn, recognition_is_on

__all__ = [
    "SHOWN", "Consent", "Doubt", "Person", "Portrait", "doubts", "files_of", "find", "learn",
    "listing", "name_key", "names_of", "one", "portraits", "recognition_is_on",
]  # fmt: skip

SHOWN = 3  # faces, before a group without a name is shown as a person
Consent = str  # 'unknown', 'yes' or 'no'
_ALIVE = "('studied', 'placing', 'placed', 'done', 'missing')"
_PERSON = (
    "SELECT p.id, p.name, p.consent, p.is_hidden, p.created_at, count(m.id) AS faces,"
    " count(DISTINCT m.id) AS files, p.cover_face_id,"
    " max(f.assigned_by IS 'person') AS is_decided"
    " FROM people p LEFT JOIN faces f ON f.person_id = p.id"
    f" LEFT JOIN media_files m ON m.id = f.file_id AND m.state IN {_ALIVE}"
)
# The chosen face for as long as it is theirs and its file lives, else the best to be seen.
_COVER = (
    "SELECT f.id FROM faces f JOIN media_files m ON m.id = f.file_id"
    f" WHERE f.person_id = ? AND m.state IN {_ALIVE}"
    " ORDER BY f.id IS ? DESC, f.score * f.w * f.h * min(f.sharpness, 1.0) DESC, f.id LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Portrait:
    """One face of somebody, with the file it is in; `path` is below the library."""

    face: Face
    path: str | None
    taken_at: str | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two faces of which a person may say whether they are the same."""

    one: Portrait
    other: Portrait
    one_name: str | None
    other_name: str | None
    similarity: float


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or a group of faces that looks like somebody. `cover` is the face to show."""

    id: str
    name: str | None
    consent: Consent
    is_hidden: bool
    faces: int
    files: int
    cover: str | None
    created_at: str


def listing(
    con: sqlite3.Connection, owner_id: str, *, hidden: bool = False, few: bool = False
) -> list[Person]:
    """The owner's people, the most seen first; with `few` also groups too small to be shown."""
    rows = con.execute(
        f"{_PERSON} WHERE p.owner_id = ? AND (p.is_hidden = 0 OR ?) GROUP BY p.id"
        f" HAVING p.name IS NOT NULL OR is_decided OR count(m.id) >= {SHOWN} OR ?"
        " ORDER BY count(m.id) DESC, p.name IS NULL, p.name, p.id",
        (owner_id, hidden, few),
    ).fetchall()
    return [_person(con, row) for row in rows]


def one(con: sqlite3.Connection, owner_id: str, person_id: str) -> Person:
    """One of the owner's people by id. Raises `NotFound`."""
    row = con.execute(
        f"{_PERSON} WHERE p.owner_id = ? AND p.id = ? GROUP BY p.id", (owner_id, person_id)
    ).fetchone()
    if row is None:
        raise NotFound(f"There is nobody {person_id!r}.", hint="darkroom people list names them.")
    return _person(con, row)


def find(con: sqlite3.Connection, owner_id: str, wanted: str) -> Person:
    """One of the owner's people by id or by name, case and accents' spelling aside.

    Raises `NotFound`.
    """
    rows = con.execute(
        "SELECT id, name FROM people WHERE owner_id = ? AND name IS NOT NULL", (owner_id,)
    )
    key = name_key(wanted)
    found = next((row["id"] for row in rows if name_key(row["name"]) == key), wanted)
    return one(con, owner_id, found)


def name_key(name: str) -> str:
    """Two names with one key are one name to a person who types it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def portraits(
    con: sqlite3.Connection, owner_id: str, person_id: str, limit: int = 1_000
) -> list[Portrait]:
    """The faces of one of the owner's people in living files, the newest taken first."""
    rows = con.execute(
        f"SELECT {COLUMNS}, m.path, m.taken_at FROM faces f JOIN media_files m ON m.id = f.file_id"
        f" WHERE f.person_id = ? AND f.owner_id = ? AND m.state IN {_ALIVE}"
        " ORDER BY coalesce(m.taken_utc, '') DESC, f.id LIMIT ?",
        (person_id, owner_id, limit),
    )
    return [_portrait(row) for row in rows]


def doubts(con: sqlite3.Connection, owner_id: str, limit: int = 20) -> list[Doubt]:
    """The questions that grouping has, the likeliest first."""
    rows = con.execute(
        "SELECT q.one_face, q.other_face, q.similarity FROM people_questions q"
        " WHERE q.owner_id = ? ORDER BY q.similarity DESC, q.one_face, q.other_face",
        (owner_id,),
    ).fetchall()
    found: list[Doubt] = []
    for row in rows:
        one, other = (_one_portrait(con, row[side]) for side in ("one_face", "other_face"))
        if one is not None and other is not None and len(found) < limit:
            found.append(Doubt(one[0], other[0], one[1], other[1], row["similarity"]))
    return found


def files_of(con: sqlite3.Connection, owner_id: str, person_ids: Sequence[str]) -> list[str]:
    """The living files in which all of these people of the owner are, newest taken first."""
    wanted = sorted(set(person_ids))
    rows = con.execute(
        "SELECT m.id FROM faces f JOIN media_files m ON m.id = f.file_id"
        f" WHERE f.owner_id = ? AND m.state IN {_ALIVE}"
        f" AND f.person_id IN ({', '.join('?' * len(wanted))})"
        " GROUP BY m.id HAVING count(DISTINCT f.person_id) = ?"
        " ORDER BY coalesce(m.taken_utc, '') DESC, m.id",
        (owner_id, *wanted, len(wanted)),
    )
    return [row["id"] for row in rows]


def known_boxes(con: sqlite3.Connection, file_id: str) -> list[list[float]]:
    """Where the faces of named people are in a file: x, y, width, height as fractions."""
    rows = con.execute(
        "SELECT f.x, f.y, f.w, f.h FROM faces f JOIN people p ON p.id = f.person_id"
        " WHERE f.file_id = ? AND p.name IS NOT NULL ORDER BY f.x, f.y",
        (file_id,),
    )
    return [list(row) for row in rows]


def names_of(con: sqlite3.Connection, file_id: str) -> list[str]:
    """The names of the people in a file that may be said, in alphabetical order."""
    rows = con.execute(
        "SELECT DISTINCT p.name FROM faces f JOIN people p ON p.id = f.person_id"
        " WHERE f.file_id = ? AND p.name IS NOT NULL AND p.consent <> 'no' AND p.is_hidden = 0"
        " ORDER BY p.name",
        (file_id,),
    )
    return [row["name"] for row in rows]


def _one_portrait(con: sqlite3.Connection, face_id: str) -> tuple[Portrait, str | None] | None:
    """A face in a living file, and the name it has."""
    row = con.execute(
        f"SELECT {COLUMNS}, m.path, m.taken_at, p.name FROM faces f"
        " JOIN media_files m ON m.id = f.file_id LEFT JOIN people p ON p.id = f.person_id"
        f" WHERE f.id = ? AND m.state IN {_ALIVE}",
        (face_id,),
    ).fetchone()
    return None if row is None else (_portrait(row), row["name"])


def _portrait(row: sqlite3.Row) -> Portrait:
    return Portrait(face_of(row), row["path"], row["taken_at"])


def _person(con: sqlite3.Connection, row: sqlite3.Row) -> Person:
    best = con.execute(_COVER, (row["id"], row["cover_face_id"])).fetchone()
    return Person(
        id=row["id"],
        name=row["name"],
        consent=row["consent"],
        is_hidden=bool(row["is_hidden"]),
        faces=row["faces"],
        files=row["files"],
        cover=best and best["id"],
        created_at=row["created_at"],
    )
