"""What a file that is kept takes over from those that go: facts, tags, and its place in albums.

Nothing that is known of the kept file is replaced. Looking tells exactly what doing would do, and
everything is part of a job, so that undoing the job takes it back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.clock import new_id, timestamp
from pipeline.metadata.facts import TakenFrom
from pipeline.model import Actor, Json, JsonObject
from pipeline.state import album_journal, albums, edits, files, tags
from pipeline.state.audit import By
from pipeline.state.edits import Patch
from pipeline.state.files import FileRow
from pipeline.state.tags import PERSON, Wanted

if TYPE_CHECKING:
    from pipeline.core import Core

_GUESSED = frozenset({TakenFrom.NAME, TakenFrom.MTIME, TakenFrom.DOCUMENT})


@dataclass(frozen=True, slots=True)
class Takeover:
    """What `keep` gets; `albums` are titles by id."""

    keep: str
    fields: Patch
    tags: tuple[str, ...]
    albums: dict[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether the others know nothing that the kept one does not."""
        return not (self.fields or self.tags or self.albums)


def plan(
    con: sqlite3.Connection, actor: Actor, groups: Sequence[tuple[str, Sequence[str]]]
) -> list[Takeover]:
    """Of each group - the file that is kept, and the others - what goes over, where anything does.

    Where the kept file knows nothing of its own, the first of the others that does tells it.
    """
    found = [_takeover(con, actor, keep, others) for keep, others in groups]
    return [one for one in found if not one.is_empty]


def told(field: str, said: JsonObject | None) -> Json:
    """What goes over in one field, as a person would say it: a position as `[lat, lon]`."""
    values = said or {}
    if field == "position":
        return [values.get("lat"), values.get("lon")]
    return values.get(field)


def carry_out(
    con: sqlite3.Connection, actor: Actor, core: Core, one: Takeover, job_id: str
) -> None:
    """Do it, as part of the job."""
    who, label, clock = actor.library_id, actor.label, core.clock
    if one.fields:
        edits.change(con, who, [one.keep], lambda _: one.fields, clock, job_id=job_id, actor=label)
    if one.tags:
        tags.change(con, who, [one.keep], Wanted(add=one.tags), clock, job_id=job_id, actor=label)
    for album_id in one.albums:
        now = clock.now()
        activity = new_id(now)
        albums.add(con, By(actor, timestamp(now)), album_id, [one.keep], activity)
        album_journal.note(con, job_id, album_id, activity, clock)


def _takeover(con: sqlite3.Connection, actor: Actor, keep: str, others: Sequence[str]) -> Takeover:
    owner_id = actor.library_id
    known = files.get_many(con, owner_id, [keep, *others])
    kept, gone = known[keep], [known[one] for one in others]
    fields: dict[str, JsonObject] = {}
    for field in ("title", "rating", "taken_at", "position"):
        teller = next((one for one in gone if _knows(one, field)), None)
        if teller is not None and not _knows(kept, field):
            fields[field] = {name: getattr(teller, name) for name in edits.FIELDS[field]}
    told = (_description(con, owner_id, one.id) for one in gone)
    description = next((text for text in told if text), None)
    if description and not _description(con, owner_id, keep):
        fields["description"] = {"description": description}
    mine = set(albums.holding(con, keep))
    theirs = albums.titles_holding(con, actor.user_id, others)
    joined = {album: title for album, title in theirs.items() if album not in mine}
    return Takeover(keep, fields, _new_tags(con, keep, others), joined)


def _knows(row: FileRow, field: str) -> bool:
    if field == "taken_at":
        return row.taken_at is not None and row.taken_from not in _GUESSED
    return getattr(row, "lat" if field == "position" else field) is not None


def _description(con: sqlite3.Connection, owner_id: str, file_id: str) -> str | None:
    read = (files.facts(con, owner_id, file_id) or {}).get("description")
    return edits.description_of(con, file_id, read)


def _new_tags(con: sqlite3.Connection, keep: str, others: Sequence[str]) -> tuple[str, ...]:
    """What people gave to the others; what they took from the kept one stays away from it."""
    mine = tags.stored(con, keep)
    given = {
        tag
        for other in others
        for tag, origin in tags.stored(con, other).items()
        if origin.source == PERSON and not origin.is_removed
    }
    return tuple(sorted(given - mine.keys()))
