"""Originals for strangers: copies without place, owner, serial number or author, made when asked.

What has nothing to scrub is given as it is; what cannot be scrubbed safely is not given at all.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.clock import timestamp
from pipeline.errors import Refused, TryLater
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.model import Actor, Category, JsonObject
from pipeline.registry import discover
from pipeline.service import media, renditions
from pipeline.service.media import Media
from pipeline.service.renditions import Order
from pipeline.state import asked
from pipeline.state import renditions as stored
from pipeline.state.files import FileRow
from pipeline.state.renditions import Rendition, Wish
from pipeline.work import rendering

if TYPE_CHECKING:
    from pipeline.core import Core

STAGE = "scrub"
WISH: JsonObject = {"location": "all", "owner": True, "artist": True}
SOON_S = 3.0
FORGET_FAILURES = timedelta(days=1)
_SCRUBBED = frozenset((Category.PHOTO, Category.VIDEO, Category.AUDIO))


async def copy(actor: Actor, core: Core, row: FileRow) -> Media:
    """The scrubbed copy of a file that `actor` looks at.

    Raises `TryLater` while it is being made, `Refused` where none can be made.
    """
    if row.category not in _SCRUBBED or row.sha256 is None:
        raise Refused("A copy of this kind of file that tells nothing cannot be made.")
    known = await core.db.read(stored.known, row.sha256, wish())
    if known and (found := await _media(core, row, known[0])) is not None:
        return found
    if known and known[0].outcome == "skipped":
        return await media.original(actor, core, row.id)
    await _ask(actor, core, row)
    raise TryLater("The copy is being made.", hint="Ask again in a moment.", after_s=SOON_S)


def wish() -> Wish:
    """What is asked of the stage that makes them."""
    (stage,) = (one for one in discover("pipeline.stages", "STAGE") if one.name == STAGE)
    return Wish.of(STAGE, stage.version, WISH)


async def _media(core: Core, row: FileRow, made: Rendition) -> Media | None:
    """What was made, if it still lies in the cache, which may be emptied at any time."""
    if made.outcome != "made" or made.path is None:
        return None
    place = Below(core.home.cache, made.path)
    if not await asyncio.to_thread(fsops.is_taken, place):
        return None
    name = PurePosixPath(row.path or row.source_path).stem + PurePosixPath(made.path).suffix
    return Media(
        place, made.mime or "application/octet-stream", made.bytes_after or 0,
        made.made_sha256 or made.id, name,
    )  # fmt: skip


async def _ask(actor: Actor, core: Core, row: FileRow) -> None:
    """Have it made, unless that is under way, or was tried in vain not long ago."""
    params = rendering.params(WISH, replaces=False)
    since = timestamp(core.clock.now() - FORGET_FAILURES)
    tried = await core.db.read(asked.last, row.id, STAGE, params, since)
    if tried is None:
        await renditions.start(actor, core, [row], Order(STAGE, WISH))
    elif tried.error is not None:
        raise Refused("A copy of this file that tells nothing could not be made.")
