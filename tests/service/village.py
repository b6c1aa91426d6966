"""A family over one home: its owner, Ben with files of his own, Clara in a team, Dora outside."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.core import Core
from pipeline.model import Actor, Surface
from pipeline.service import teams
from tests.kit.state import add_file, add_household
from tests.service.family import Family, open_family


@dataclass(frozen=True, slots=True)
class Village:
    """The people, by name; `files` are the ids of the owner's photos, `team` has Clara in it."""

    family: Family
    core: Core
    anna: Actor  # the owner of the home
    ben: Actor
    clara: Actor
    dora: Actor
    files: list[str]
    team: str

    @property
    def bens(self) -> list[str]:
        """The ids of Ben's files."""
        return ["ben-1", "ben-2"]


@asynccontextmanager
async def open_village(base: Path) -> AsyncIterator[Village]:
    """A new one at `base`."""
    async with open_family(base) as family:
        core = family.core
        for name in ("ben", "clara", "dora"):
            await core.db.write(add_household, name)
            await core.db.write(_make_editor, name)
        for number in (1, 2):
            await core.db.write(add_file, f"ben-{number}", "ben")
        team = await teams.make(family.actor, core, "Grandparents")
        await teams.join(family.actor, core, team.id, "clara")
        files = [family.ids[path] for path in family.photos]
        people = [Actor(name, "editor", Surface.WEB) for name in ("ben", "clara", "dora")]
        yield Village(family, core, family.actor, *people, files, team.id)


def _make_editor(con: sqlite3.Connection, user_id: str) -> None:
    con.execute("UPDATE users SET role = 'editor' WHERE id = ?", (user_id,))
