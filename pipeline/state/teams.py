"""Teams: several people under one name, so that what is lent to the team is lent to each of them.

Every change is an event and a line of the audit log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import Conflict, NotFound
from pipeline.events import TeamChanged, TeamDeleted, TeamJoined, TeamLeft, TeamMade
from pipeline.state import audit, versions
from pipeline.state.audit import By
from pipeline.state.people import name_key

_NAME = "coalesce(u.display_name, u.username)"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a team."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Team:
    """A team and who is in it, by name."""

    id: str
    name: str
    version: int
    created_at: str
    members: tuple[Member, ...]


def make(con: sqlite3.Connection, by: By, team_id: str, name: str) -> Team:
    """A new team without members. Raises `Conflict` where the name is taken."""
    _require_free(con, name, team_id)
    con.execute(
        "INSERT INTO teams (id, name, name_key, created_by, created_at) VALUES (?, ?, ?, ?, ?)",
        (team_id, name, name_key(name), by.actor.user_id, by.at),
    )
    audit.tell(con, by, TeamMade(team_id), after={"name": name})
    return get(con, team_id)


def retitle(
    con: sqlite3.Connection, by: By, team_id: str, name: str, seen: int | None = None
) -> Team:
    """Another name. Raises `NotFound`, and `Conflict` where it is taken or `seen` is old."""
    team = get(con, team_id)
    versions.require(team.version, seen)
    _require_free(con, name, team_id)
    con.execute(
        "UPDATE teams SET name = ?, name_key = ?, version = version + 1 WHERE id = ?",
        (name, name_key(name), team_id),
    )
    audit.tell(con, by, TeamChanged(team_id), before={"name": team.name}, after={"name": name})
    return get(con, team_id)


def delete(con: sqlite3.Connection, by: By, team_id: str, seen: int | None = None) -> None:
    """Take a team away, and with it all that was lent to it. Raises `NotFound`, `Conflict`."""
    team = get(con, team_id)
    versions.require(team.version, seen)
    con.execute("DELETE FROM teams WHERE id = ?", (team_id,))
    before = {"name": team.name, "members": [member.id for member in team.members]}
    audit.tell(con, by, TeamDeleted(team_id), before=before)


def join(con: sqlite3.Connection, by: By, team_id: str, user_id: str) -> Team:
    """Somebody more in a team; it is no mistake if they are in it. Raises `NotFound`."""
    get(con, team_id)
    require_user(con, user_id)
    added = con.execute(
        "INSERT INTO team_members (team_id, user_id, added_at) VALUES (?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (team_id, user_id, by.at),
    ).rowcount
    if added:
        _count_change(con, team_id)
        audit.tell(con, by, TeamJoined(team_id, user_id), after={"user": user_id})
    return get(con, team_id)


def leave(con: sqlite3.Connection, by: By, team_id: str, user_id: str) -> Team:
    """Somebody less in a team. Raises `NotFound`, also where they were not in it."""
    get(con, team_id)
    gone = con.execute(
        "DELETE FROM team_members WHERE team_id = ? AND user_id = ?", (team_id, user_id)
    ).rowcount
    if not gone:
        raise NotFound("This person is not in the team.")
    _count_change(con, team_id)
    audit.tell(con, by, TeamLeft(team_id, user_id), before={"user": user_id})
    return get(con, team_id)


def get(con: sqlite3.Connection, team_id: str) -> Team:
    """One team. Raises `NotFound`."""
    row = con.execute(
        "SELECT id, name, version, created_at FROM teams WHERE id = ?", (team_id,)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such team.")
    return _team(con, row)


def listing(con: sqlite3.Connection) -> list[Team]:
    """All teams, by name."""
    rows = con.execute(
        "SELECT id, name, version, created_at FROM teams ORDER BY name_key"
    ).fetchall()
    return [_team(con, row) for row in rows]


def of_user(con: sqlite3.Connection, user_id: str) -> list[Team]:
    """The teams that somebody is in, by name."""
    rows = con.execute(
        "SELECT t.id, t.name, t.version, t.created_at FROM teams t"
        " JOIN team_members m ON m.team_id = t.id WHERE m.user_id = ? ORDER BY t.name_key",
        (user_id,),
    ).fetchall()
    return [_team(con, row) for row in rows]


def everybody(con: sqlite3.Connection) -> list[Member]:
    """All people with an account that is not switched off, by name."""
    rows = con.execute(
        f"SELECT u.id, {_NAME} AS name FROM users u WHERE u.is_active = 1 ORDER BY name, u.id"
    )
    return [Member(**dict(row)) for row in rows]


def require_user(con: sqlite3.Connection, user_id: str) -> str:
    """The name of somebody with an active account. Raises `NotFound`."""
    row = con.execute(
        f"SELECT {_NAME} AS name FROM users u WHERE u.id = ? AND u.is_active = 1", (user_id,)
    ).fetchone()
    if row is None:
        raise NotFound("There is nobody with this account.")
    return str(row["name"])


def names_of(con: sqlite3.Connection, user_ids: Sequence[str]) -> dict[str, str]:
    """How these users are called, by id; also those whose account is switched off."""
    marks = ", ".join("?" * len(user_ids))
    rows = con.execute(
        f"SELECT u.id, {_NAME} AS name FROM users u WHERE u.id IN ({marks})", (*user_ids,)
    )
    return {row["id"]: row["name"] for row in rows}


def _count_change(con: sqlite3.Connection, team_id: str) -> None:
    con.execute("UPDATE teams SET version = version + 1 WHERE id = ?", (team_id,))


def _require_free(con: sqlite3.Connection, name: str, team_id: str) -> None:
    taken = con.execute(
        "SELECT 1 FROM teams WHERE name_key = ? AND id <> ?", (name_key(name), team_id)
    ).fetchone()
    if taken is not None:
        raise Conflict(f"There is a team {name!r} already.", hint="Choose another name.")


def _team(con: sqlite3.Connection, row: sqlite3.Row) -> Team:
    members = con.execute(
        f"SELECT u.id, {_NAME} AS name FROM team_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.team_id = ? ORDER BY name",
        (row["id"],),
    )
    return Team(**dict(row), members=tuple(Member(**dict(one)) for one in members))
