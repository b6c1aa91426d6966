"""Finding files, and naming them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipeline.errors import NotFound
from pipeline.model import Actor, Json, JsonObject
from pipeline.state import derivatives, edits, file_versions, tags
from pipeline.state import files as stored
from pipeline.state.derivatives import Derived
from pipeline.state.edits import Edit
from pipeline.state.files import FileRow
from pipeline.state.tags import Origin

if TYPE_CHECKING:
    from pipeline.core import Core


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one file at one moment; `version` is another whenever any of it is."""

    row: FileRow
    tags: Mapping[str, Origin]
    said: Edit
    facts: JsonObject
    made: Sequence[Derived]
    version: str


async def resolve(actor: Actor, core: Core, wanted: Sequence[str]) -> list[FileRow]:
    """The files named by ids or by paths in the library. Raises `NotFound` if one is absent."""
    known = await core.db.read(stored.get_many, actor.library_id, wanted)
    return [known.get(name) or await one(actor, core, name) for name in wanted]


async def one(actor: Actor, core: Core, name: str) -> FileRow:
    """One file by id, by its path below the library, or by its absolute path there."""
    return await core.db.read(named, actor.library_id, name, f"{core.home.library}/")


async def known(actor: Actor, core: Core, name: str) -> Known:
    """All that is known of one file, named as for `one`. Raises `NotFound`."""

    def read(con: sqlite3.Connection) -> Known:
        row = named(con, actor.library_id, name, f"{core.home.library}/")
        return Known(
            row=row,
            tags=tags.origins(con, row.owner_id, row.id),
            said=edits.of(con, row.id),
            facts=stored.facts(con, row.owner_id, row.id) or {},
            made=[] if row.sha256 is None else derivatives.of(con, row.sha256),
            version=file_versions.of(con, row.owner_id, row.id),
        )

    return await core.db.read(read)


def named(con: sqlite3.Connection, owner_id: str, name: str, library: str) -> FileRow:
    """As `one`, within the caller's reading; `library` is its folder, with a slash behind."""
    row = stored.get(con, owner_id, name)
    row = row or stored.at_path(con, owner_id, name.removeprefix(library))
    if row is None:
        raise NotFound(
            f"There is no file {name!r} in the library.", hint="darkroom find shows what there is."
        )
    return row


async def facts(actor: Actor, core: Core, file_id: str) -> JsonObject:
    """All that is known about one file, as the stages told it."""
    return await core.db.read(stored.facts, actor.library_id, file_id) or {}


def as_json(row: FileRow) -> dict[str, Json]:
    """A file as plain JSON."""
    return asdict(row)
