"""What goes along when copies of files are made: the rest of their bundles.

Whoever names the picture of a Live Photo means its film too, and a developer's notes beside a RAW
file tell where it was taken as well as the file does. So what belongs to a file goes the same way,
and what cannot go stays behind by name, never silently.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import NotFound
from pipeline.intake.formats import FORMATS
from pipeline.model import Actor, BundleRole, FileState
from pipeline.registry import discover
from pipeline.stages.contract import Stage
from pipeline.state import files, placements

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.state.files import FileRow

_IN_PLACE = (FileState.PLACED, FileState.DONE)


@dataclass(frozen=True, slots=True)
class Together:
    """Named files with what belongs to them.

    `rows` are all that something is made of, the named ones first; `joined` are those among them
    that nobody named; `behind` belong to them too, but nothing can be made of them.
    """

    rows: tuple[FileRow, ...]
    joined: tuple[FileRow, ...]
    behind: tuple[FileRow, ...]


async def members(actor: Actor, core: Core, bundle_id: str) -> list[FileRow]:
    """The files of one of the actor's bundles, the one people look at first. Raises `NotFound`."""
    found = await core.db.read(files.in_bundle, actor.library_id, bundle_id)
    if not found:
        raise NotFound("There are no such files that belong together.")
    return found


async def together(actor: Actor, core: Core, named: Sequence[FileRow], stage: str) -> Together:
    """The files and the rest of their bundles, as far as the stage can do something with them.

    A RAW file does not join a picture whose faces are blurred: it shows what the picture shows.
    """
    ids = [row.id for row in named]

    def read(con: sqlite3.Connection) -> list[FileRow | None]:
        others = {one.id for one in placements.with_bundles(con, ids)} - set(ids)
        return [files.get(con, actor.library_id, other) for other in sorted(others)]

    found = await core.db.read(read)
    beside = [row for row in found if row is not None and row.state in _IN_PLACE]
    fits = _fitting(stage)
    joined = tuple(row for row in beside if fits(row))
    behind = tuple(row for row in beside if not fits(row))
    return Together((*named, *joined), joined, behind)


def _fitting(name: str) -> Callable[[FileRow], bool]:
    stage: Stage = next(s for s in discover("pipeline.stages", "STAGE") if s.name == name)

    def fits(row: FileRow) -> bool:
        fmt = FORMATS.get(row.format or "")
        if fmt is None or (name == "blur" and row.bundle_role is BundleRole.RAW):
            return False
        return fmt.category in stage.categories and stage.applies(fmt)

    return fits
