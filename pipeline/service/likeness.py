"""Photos like this one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import NotFound
from pipeline.model import Actor
from pipeline.service import files
from pipeline.state import files as stored
from pipeline.state.files import FileRow

if TYPE_CHECKING:
    from pipeline.core import Core


@dataclass(frozen=True, slots=True)
class Like:
    """A file, and how like it is to the one asked about: 1 is the same."""

    file: FileRow
    similarity: float


async def photos_like(actor: Actor, core: Core, file: str, limit: int = 20) -> list[Like]:
    """The actor's photos most like one, named by id or path, the likest first.

    Raises `NotFound` for a file that is not there or was not looked at yet.
    """
    from pipeline.library import likeness

    row = await files.one(actor, core, file)

    def read(con: sqlite3.Connection) -> list[Like] | None:
        found = likeness.nearest(con, actor.library_id, row.id, limit)
        if found is None:
            return None
        rows = ((stored.get(con, actor.library_id, match.id), match.similarity) for match in found)
        return [Like(one, similarity) for one, similarity in rows if one is not None]

    like = await core.db.read(read)
    if like is None:
        raise NotFound(
            "This file was not looked at yet, or is no photo.",
            hint="darkroom doctor says whether a model is missing.",
        )
    return like
