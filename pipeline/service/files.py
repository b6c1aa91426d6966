"""Finding files, and naming them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.errors import NotFound
from pipeline.model import Actor, Json, JsonObject
from pipeline.state import files as stored
from pipeline.state.files import FileRow

if TYPE_CHECKING:
    from pipeline.core import Core


async def resolve(actor: Actor, core: Core, wanted: Sequence[str]) -> list[FileRow]:
    """The files named by ids or by paths in the library. Raises `NotFound` if one is absent."""
    return [await one(actor, core, name) for name in wanted]


async def one(actor: Actor, core: Core, name: str) -> FileRow:
    """One file by id, by its path below the library, or by its absolute path there."""
    below = name.removeprefix(f"{core.home.library}/")
    row = await core.db.read(stored.get, actor.library_id, name)
    row = row or await core.db.read(stored.at_path, actor.library_id, below)
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
