"""Finding files, and naming them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.errors import Invalid, NotFound
from pipeline.model import Actor, Category, FileState, Json
from pipeline.state import files as stored
from pipeline.state.connection import INTERACTIVE_LIMIT_S
from pipeline.state.files import IN_LIBRARY, SHOWN, Cursor, FileRow, Query

if TYPE_CHECKING:
    from pipeline.core import Core

_DAY = re.compile(r"(19|20)\d{2}(-\d{2}(-\d{2})?)?")
_REACH_S = 10 * INTERACTIVE_LIMIT_S  # a person at a terminal waits this long, not longer


def query_of(
    words: Sequence[str],
    *,
    kind: str | None = None,
    state: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Query:
    """A query from what a person typed; a word that is a year, month or day restricts the date.

    Raises `Invalid` for an impossible date.
    """
    day = next(filter(_DAY.fullmatch, words), None)
    return Query(
        words=tuple(word for word in words if word != day),
        categories=(Category(kind),) if kind else SHOWN,
        states=(FileState(state),) if state else IN_LIBRARY,
        since=_day(since or day),
        until=_day(until or day),
    )


async def find(actor: Actor, core: Core, query: Query, limit: int = 100) -> list[FileRow]:
    """The actor's files that fit, newest taken first, page by page up to `limit`."""
    rows: list[FileRow] = []
    after: Cursor | None = None
    while len(rows) < limit:
        left = limit - len(rows)
        search = functools.partial(stored.find, after=after, limit=left)
        page = await core.db.read_within(_REACH_S, search, actor.user_id, query)
        rows += page.rows
        after = page.following
        if after is None:
            break
    return rows


async def resolve(actor: Actor, core: Core, wanted: Sequence[str]) -> list[FileRow]:
    """The files named by ids or by paths in the library. Raises `NotFound` if one is absent."""
    return [await one(actor, core, name) for name in wanted]


async def one(actor: Actor, core: Core, name: str) -> FileRow:
    """One file by id, by its path below the library, or by its absolute path there."""
    below = name.removeprefix(f"{core.home.library}/")
    row = await core.db.read(stored.get, actor.user_id, name)
    row = row or await core.db.read(stored.at_path, actor.user_id, below)
    if row is None:
        raise NotFound(
            f"There is no file {name!r} in the library.", hint="darkroom find shows what there is."
        )
    return row


def as_json(row: FileRow) -> dict[str, Json]:
    """A file as plain JSON."""
    return asdict(row)


def _day(value: str | None) -> str | None:
    if value is not None and not _DAY.fullmatch(value):
        raise Invalid(f"{value!r} is no date.", hint="Write 2023, 2023-07 or 2023-07-14.")
    return value
