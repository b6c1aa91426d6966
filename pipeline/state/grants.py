"""Grants: a look into, or a hand on, a library, an album or a file, lent to a person or a team.

Every change is an event and a line of the audit log. What grants come to, together with whose a
thing is, is read by `ways.py` and decided by `pipeline.access.reach`.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass

from pipeline.errors import Invalid, NotFound
from pipeline.events import AccessGranted, AccessRevoked
from pipeline.state import audit, teams
from pipeline.state.audit import By

LIBRARY, ALBUM, FILE = "library", "album", "file"
WORDS = ("view", "add", "edit", "manage")  # each holds those before it
_SELECT = (
    "SELECT p.id, p.resource_type, p.resource_id, p.permission, p.user_id, p.team_id, p.granted_by,"
    " p.granted_at, coalesce(u.display_name, u.username, t.name) AS name FROM user_permissions p"
    " LEFT JOIN users u ON u.id = p.user_id LEFT JOIN teams t ON t.id = p.team_id"
)


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be lent: a library (its id is the user whose files they are), an album, a file."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class To:
    """A person, or a team."""

    user_id: str | None = None
    team_id: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant; `name` is how the person or the team is called."""

    id: str
    resource_type: str
    resource_id: str
    permission: str
    user_id: str | None
    team_id: str | None
    granted_by: str
    granted_at: str
    name: str


def give(
    con: sqlite3.Connection, by: By, grant_id: str, thing: Thing, to: To, permission: str
) -> Grant:
    """Lend something, or change how far it is lent; `grant_id` is the id of a new grant.

    Raises `NotFound` for a person or team that is not there, `Invalid` for a gift to its owner.
    """
    _require_receiver(con, thing, to)
    old = _standing(con, thing, to)
    if old is None:
        con.execute(
            "INSERT INTO user_permissions (id, user_id, team_id, resource_type, resource_id,"
            " permission, granted_at, granted_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (grant_id, to.user_id, to.team_id, thing.type, thing.id, permission, by.at,
             by.actor.user_id),
        )  # fmt: skip
    elif old.permission == permission:
        return old
    else:
        con.execute(
            "UPDATE user_permissions SET permission = ?, granted_at = ?, granted_by = ?"
            " WHERE id = ?",
            (permission, by.at, by.actor.user_id, old.id),
        )
    grant = get(con, grant_id if old is None else old.id)
    event = AccessGranted(thing.id, thing.type, permission, to.user_id, to.team_id)
    audit.tell(con, by, event, before=None if old is None else asdict(old), after=asdict(grant))
    return grant


def revoke(con: sqlite3.Connection, by: By, grant_id: str) -> None:
    """Take a grant back. Raises `NotFound`."""
    old = get(con, grant_id)
    con.execute("DELETE FROM user_permissions WHERE id = ?", (grant_id,))
    event = AccessRevoked(old.resource_id, old.resource_type, old.user_id, old.team_id)
    audit.tell(con, by, event, before=asdict(old))


def get(con: sqlite3.Connection, grant_id: str) -> Grant:
    """One grant. Raises `NotFound`."""
    row = con.execute(f"{_SELECT} WHERE p.id = ?", (grant_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such grant.")
    return Grant(**dict(row))


def of_thing(con: sqlite3.Connection, thing: Thing) -> list[Grant]:
    """What of this is lent to whom, people first, each by name."""
    rows = con.execute(
        f"{_SELECT} WHERE p.resource_type = ? AND p.resource_id = ?"
        " ORDER BY p.team_id IS NOT NULL, name, p.id",
        (thing.type, thing.id),
    )
    return [Grant(**dict(row)) for row in rows]


def held_by(con: sqlite3.Connection, user_id: str) -> list[Grant]:
    """What is lent to somebody, to them alone or to a team they are in, the newest first."""
    rows = con.execute(
        f"{_SELECT} WHERE p.user_id = ?1 OR p.team_id IN"
        " (SELECT team_id FROM team_members WHERE user_id = ?1) ORDER BY p.granted_at DESC, p.id",
        (user_id,),
    )
    return [Grant(**dict(row)) for row in rows]


def owner_of(con: sqlite3.Connection, thing: Thing) -> str | None:
    """Whose it is; None where there is no such thing."""
    statement = {
        LIBRARY: "SELECT id FROM users WHERE id = ?",
        ALBUM: "SELECT owner_id FROM albums WHERE id = ? AND deleted_at IS NULL",
        FILE: "SELECT owner_id FROM media_files WHERE id = ? AND state <> 'purged'",
    }[thing.type]
    row = con.execute(statement, (thing.id,)).fetchone()
    return None if row is None else str(row[0])


def _require_receiver(con: sqlite3.Connection, thing: Thing, to: To) -> None:
    if (to.user_id is None) == (to.team_id is None):
        raise Invalid("Say either a person or a team.")
    if to.team_id is not None:
        teams.get(con, to.team_id)
        return
    assert to.user_id is not None
    teams.require_user(con, to.user_id)
    if to.user_id == owner_of(con, thing):
        raise Invalid("This is theirs already.")


def _standing(con: sqlite3.Connection, thing: Thing, to: To) -> Grant | None:
    row = con.execute(
        f"{_SELECT} WHERE p.resource_type = ? AND p.resource_id = ?"
        " AND p.user_id IS ? AND p.team_id IS ?",
        (thing.type, thing.id, to.user_id, to.team_id),
    ).fetchone()
    return None if row is None else Grant(**dict(row))
