"""Finding files by what people remember of them: the one way for every surface."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import Invalid, NotFound
from pipeline.finding import language
from pipeline.finding.query import ALL, Term, all_of
from pipeline.model import Actor
from pipeline.service import files
from pipeline.state import files as stored
from pipeline.state import search_find
from pipeline.state.connection import INTERACTIVE_LIMIT_S
from pipeline.state.files import FileRow
from pipeline.work.zone import zone_of

if TYPE_CHECKING:
    from pipeline.core import Core

_LIKE_MOST = 2_000  # pictures compared with a query, the likest first
_REACH_S = 10 * INTERACTIVE_LIMIT_S  # a person at a terminal waits this long, not longer


@dataclass(frozen=True, slots=True)
class Found:
    """The files that fit, newest taken first; `following` is where to go on, None at the end."""

    rows: list[FileRow]
    following: int | None = None


def query_of(
    core: Core,
    text: str,
    *,
    kind: str | None = None,
    state: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Term:
    """What a person typed as a query, narrowed by what they chose beside it.

    Raises `Invalid` for what cannot be understood: it says where, and what was likely meant.
    """
    today = core.clock.now().astimezone(zone_of(core.settings)).date()
    chosen = {"type": kind, "is": state, "since": since, "until": until}
    beside = (language.value(name, value, today) for name, value in chosen.items() if value)
    return all_of(language.read(text, today), *beside)


async def find(
    actor: Actor, core: Core, query: Term, *, limit: int = 100, after: int | None = None
) -> Found:
    """Up to `limit` of the actor's files that fit, from where `after` says, page by page."""
    rows: list[FileRow] = []
    while True:
        search = functools.partial(search_find.find, after=after, limit=limit - len(rows))
        page = await core.db.read_within(_REACH_S, search, actor.library_id, query)
        rows += page.rows
        after = page.following
        if after is None or len(rows) >= limit:
            return Found(rows, after)


async def ids(actor: Actor, core: Core, query: Term) -> list[str]:
    """Every one of the actor's files that fits, only by id, newest taken first."""
    return await core.db.read_within(_REACH_S, search_find.ids, actor.library_id, query)


async def meant(actor: Actor, core: Core, named: Sequence[str], query: str | None) -> list[str]:
    """Which files somebody means: those they name, each once, or all that fit a query, by id.

    Raises `Invalid` where both or none of the two is said, and for a query as `query_of`.
    """
    if (query is None) == (not named):
        raise Invalid("Name files, or say by a query which are meant: one of both.")
    if query is None:
        return list(dict.fromkeys(named))
    return await ids(actor, core, query_of(core, query))


async def like(actor: Actor, core: Core, file: str, query: Term, *, limit: int = 100) -> Found:
    """The actor's pictures most like `file` (an id or a path) that fit `query`, likest first.

    Raises `NotFound` for a file that is not there, or that nobody has looked at yet.
    """
    from pipeline.library import likeness

    row = await files.one(actor, core, file)
    most = limit if query == ALL else _LIKE_MOST
    matches = await core.db.read(likeness.nearest, actor.library_id, row.id, most)
    if matches is None:
        raise NotFound(
            "What is in this picture is not known yet.",
            hint="It is studied again when its model is there: darkroom models fetch.",
        )
    fitting = set(await core.db.read(search_find.ids, actor.library_id, query))
    wanted = [one.id for one in matches if one.id in fitting][:limit]
    rows = [await core.db.read(stored.get, actor.library_id, file_id) for file_id in wanted]
    return Found([row for row in rows if row is not None])
