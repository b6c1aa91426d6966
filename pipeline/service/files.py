"""Finding files, and looking at one."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from pipeline.errors import Invalid, NotFound
from pipeline.model import Actor, Category, FileState, Json
from pipeline.state import files as stored
from pipeline.state.files import FileRow, Query

if TYPE_CHECKING:
    from pipeline.core import Core

_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def query_of(words: tuple[str, ...], **only: str | int | None) -> Query:
    """A query from what a person typed: `words`, and `kind`, `state`, `since`, `until`, `limit`.

    A word that is a year, month or day restricts the date. Raises `Invalid` for an impossible one.
    """
    query = Query(
        words=tuple(word for word in words if not _DAY.fullmatch(word)),
        category=_choice(Category, only.get("kind")),
        state=_choice(FileState, only.get("state")),
        since=_day(only.get("since")),
        until=_day(only.get("until")),
        limit=int(only.get("limit") or 100),
    )
    for day in filter(_DAY.fullmatch, words):
        query = replace(query, since=day, until=day)
    return query


async def find(actor: Actor, core: Core, query: Query) -> list[FileRow]:
    """The actor's files that match, newest taken first."""
    return await core.db.read(stored.find, query, actor.user_id)


async def resolve(actor: Actor, core: Core, wanted: tuple[str, ...]) -> list[FileRow]:
    """The files named by ids or by paths below the library. Raises `NotFound` if one is absent."""
    return [await _one(actor, core, name) for name in wanted]


async def _one(actor: Actor, core: Core, name: str) -> FileRow:
    row = await core.db.read(stored.get, name, actor.user_id)
    row = row or await core.db.read(stored.at_path, _below(core, name), actor.user_id)
    if row is None:
        raise NotFound(
            f"There is no file {name!r} in the library.", hint="darkroom find shows what there is."
        )
    return row


def _below(core: Core, name: str) -> str:
    prefix = f"{core.home.library}/"
    return name.removeprefix(prefix)


def as_json(row: FileRow) -> dict[str, Json]:
    """A file as plain JSON."""
    return asdict(row)


def _choice(kind: type[Category] | type[FileState], value: str | int | None) -> Json:
    return None if value is None else kind(value)


def _day(value: str | int | None) -> str | None:
    if value is None:
        return None
    if not _DAY.fullmatch(str(value)):
        raise Invalid(f"{value!r} is no date.", hint="Write 2023, 2023-07 or 2023-07-14.")
    return str(value)
