"""A village: Anna and Ben with files, Clara in a team, Dora a stranger; albums by plain SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.model import Actor, Surface
from pipeline.state import grants, migrate, teams
from pipeline.state.audit import By
from pipeline.state.grants import Thing, To
from tests.kit.state import AT, add_file, add_household

PEOPLE = ("anna", "ben", "clara", "dora")
TEAM = "grandparents"


def actor(user_id: str, role: str = "editor") -> Actor:
    """One of the village, through the web."""
    return Actor(user_id, role, Surface.WEB)


def by(user_id: str, at: str = AT) -> By:
    """One of the village, doing something."""
    return By(actor(user_id), at)


@contextmanager
def open_state() -> Iterator[sqlite3.Connection]:
    """A state in memory with the village in it."""
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.row_factory = sqlite3.Row
    try:
        con.execute("PRAGMA foreign_keys = ON")
        for sql in migrate.available():
            con.executescript(sql[1])
        add_village(con)
        yield con
    finally:
        con.close()


def add_village(con: sqlite3.Connection) -> None:
    """Two files each for Anna and Ben; Clara is in the team of the grandparents."""
    for person in PEOPLE:
        add_household(con, person)
        con.execute("UPDATE users SET role = 'editor' WHERE id = ?", (person,))
    for person in ("anna", "ben"):
        for number in (1, 2):
            add_file(con, f"{person}-{number}", person)
    teams.make(con, by("anna"), TEAM, "Grandparents")
    teams.join(con, by("anna"), TEAM, "clara")


def add_album(con: sqlite3.Connection, album_id: str, owner_id: str, *files: str) -> None:
    """An album with files in it."""
    con.execute(
        "INSERT INTO albums (id, owner_id, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
        (album_id, owner_id, album_id.title(), AT, AT),
    )
    for file_id in files:
        con.execute(
            "INSERT INTO album_files (album_id, file_id, added_by, added_in) VALUES (?, ?, ?, ?)",
            (album_id, file_id, owner_id, "at first"),
        )


def lend(con: sqlite3.Connection, kind: str, thing: str, to: str, permission: str = "view") -> str:
    """Lend a thing to a person, or to the team; the grant's id."""
    receiver = To(team_id=to) if to == TEAM else To(user_id=to)
    grant_id = f"{kind}-{thing}-{to}"
    owner = grants.owner_of(con, Thing(kind, thing)) or "anna"
    return grants.give(con, by(owner), grant_id, Thing(kind, thing), receiver, permission).id
