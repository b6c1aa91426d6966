"""Albums: one's own and those that others share, what is in them, and what the family says.

Who may look may comment and mark favourites; `add`, `edit` and `manage` are lent (`sharing.py`).
Nobody can put in what is not theirs to show, and everybody can always take out what is theirs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.access import reach
from pipeline.access.reach import Permission
from pipeline.access.rights import Right, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import Invalid, NotFound, Refused
from pipeline.model import Actor
from pipeline.service import audit, writing
from pipeline.state import album_activity, album_journal, albums, ways
from pipeline.state.album_activity import Activity, Comment
from pipeline.state.albums import Album, AlbumFile, Place, Words
from pipeline.state.audit import By

if TYPE_CHECKING:
    from pipeline.core import Core


@dataclass(frozen=True, slots=True)
class Seen:
    """An album as the actor sees it, and how far they reach it."""

    album: Album
    permission: Permission


@dataclass(frozen=True, slots=True)
class Added:
    """How many files came in, and which did not because they are not the actor's to show."""

    added: int
    refused: tuple[str, ...]


# --- albums ------------------------------------------------------------------------------------


async def listing(
    actor: Actor, core: Core, *, after: str | None = None, limit: int = 100
) -> list[Seen]:
    """The albums that the actor sees, the newest made first, behind the one with the id `after`."""
    require(actor, Right.ALBUMS_READ)

    def read(con: sqlite3.Connection) -> list[Seen]:
        found = ways.to_albums(con, actor.user_id)
        ids = sorted((one for one in found if after is None or one < after), reverse=True)
        return [_seen(con, actor, one) for one in ids[:limit]]

    return await core.db.read(read)


async def get(actor: Actor, core: Core, album_id: str) -> Seen:
    """One album. Raises `NotFound`."""
    require(actor, Right.ALBUMS_READ)
    return await core.db.read(_seen, actor, album_id)


async def make(actor: Actor, core: Core, words: Words) -> Seen:
    """A new album of the actor's own. Raises `Invalid` for a title that is none."""
    require(actor, Right.ALBUMS_WRITE)
    if words.cover is not None:
        raise Invalid("An empty album has no cover yet.")
    album_id, checked = new_id(core.clock.now()), _checked(words)

    def write(con: sqlite3.Connection) -> Seen:
        albums.make(con, audit.by(actor, core), album_id, checked)
        return _seen(con, actor, album_id)

    return await core.db.write(write)


async def change(
    actor: Actor, core: Core, album_id: str, words: Words, seen: int | None = None
) -> Seen:
    """Other words, another cover. Raises `NotFound`, `NotAllowed`, `Invalid`, `Stale`."""
    require(actor, Right.ALBUMS_WRITE)
    checked = _checked(words)

    def write(con: sqlite3.Connection) -> Seen:
        reach.album(con, actor, album_id, Permission.EDIT)
        albums.change(con, audit.by(actor, core), album_id, checked, seen)
        return _seen(con, actor, album_id)

    return await core.db.write(write)


async def delete(actor: Actor, core: Core, album_id: str, seen: int | None = None) -> None:
    """Take one's own album away; its files stay. Raises `NotFound`, `NotAllowed`, `Stale`.

    `restore` brings it back for as long as trash is kept.
    """
    require(actor, Right.ALBUMS_WRITE)
    kept = timedelta(days=core.settings.library.trash_days)
    gone = timestamp(core.clock.now() - kept)

    def write(con: sqlite3.Connection) -> None:
        reach.album(con, actor, album_id, Permission.OWN)
        albums.delete(con, audit.by(actor, core), album_id, seen)
        albums.forget(con, gone)

    await core.db.write(write)


async def deleted(actor: Actor, core: Core) -> list[Album]:
    """The actor's own deleted albums that can still be brought back."""
    require(actor, Right.ALBUMS_READ)
    return await core.db.read(albums.deleted, actor.user_id)


async def restore(actor: Actor, core: Core, album_id: str) -> Seen:
    """Bring back a deleted album. Raises `NotFound`."""
    require(actor, Right.ALBUMS_WRITE)

    def write(con: sqlite3.Connection) -> Seen:
        albums.restore(con, audit.by(actor, core), album_id)
        return _seen(con, actor, album_id)

    return await core.db.write(write)


# --- files -------------------------------------------------------------------------------------


async def page(
    actor: Actor, core: Core, album_id: str, *, after: Place | None = None, limit: int = 100
) -> list[AlbumFile]:
    """Files of an album, the newest taken first, behind `after`. Raises `NotFound`."""
    require(actor, Right.ALBUMS_READ)

    def read(con: sqlite3.Connection) -> list[AlbumFile]:
        reach.album(con, actor, album_id, Permission.VIEW)
        return albums.page(con, actor.user_id, album_id, after, limit)

    return await core.db.read(read)


async def addable(actor: Actor, core: Core, album_id: str, file_ids: Sequence[str]) -> list[str]:
    """Which of the files `add` would not refuse. Raises as it does."""
    require(actor, Right.ALBUMS_WRITE)
    return await core.db.read(_showable, actor, album_id, file_ids)


async def add(
    actor: Actor, core: Core, album_id: str, file_ids: Sequence[str], *, job: str | None = None
) -> Added:
    """Put files into an album: one's own, or what one may share on. With a job it can be undone.

    Raises `NotFound`, `NotAllowed`, and `Conflict` for an album that would become too large.
    """
    require(actor, Right.ALBUMS_WRITE)
    activity_id = new_id(core.clock.now())
    mine = await core.db.read(_showable, actor, album_id, file_ids)

    def write(con: sqlite3.Connection) -> int:
        reach.album(con, actor, album_id, Permission.ADD)
        count = albums.add(con, audit.by(actor, core), album_id, mine, activity_id)
        if job is not None:
            album_journal.note(con, job, album_id, activity_id, core.clock)
        return count

    count, known = await core.db.write(write), set(mine)
    return Added(count, tuple(one for one in file_ids if one not in known))


async def remove(actor: Actor, core: Core, album_id: str, file_ids: Sequence[str]) -> int:
    """Take files out of an album, how many. Without `edit` only one's own, and what one added.

    Raises `NotFound` where the actor sees neither the album nor a file of theirs in it.
    """
    require(actor, Right.ALBUMS_WRITE)

    def write(con: sqlite3.Connection) -> int:
        wanted = _removable(con, actor, album_id, file_ids)
        return albums.remove(con, audit.by(actor, core), album_id, wanted)

    return await core.db.write(write)


# --- what is said ------------------------------------------------------------------------------


async def feed(
    actor: Actor, core: Core, album_id: str, *, before: str | None = None, limit: int = 100
) -> list[Activity]:
    """What happened in an album, the newest first, before the activity `before`."""
    require(actor, Right.ALBUMS_READ)

    def read(con: sqlite3.Connection) -> list[Activity]:
        reach.album(con, actor, album_id, Permission.VIEW)
        return album_activity.feed(con, actor.user_id, album_id, before, limit)

    return await core.db.read(read)


async def about(actor: Actor, core: Core, album_id: str, file_id: str) -> list[Activity]:
    """What was said about one file of an album, the oldest first. Raises `NotFound`."""
    require(actor, Right.ALBUMS_READ)

    def read(con: sqlite3.Connection) -> list[Activity]:
        reach.album(con, actor, album_id, Permission.VIEW)
        albums.require_file(con, album_id, file_id)
        return album_activity.about(con, actor.user_id, album_id, file_id)

    return await core.db.read(read)


async def comment(
    actor: Actor, core: Core, album_id: str, text: str, file_id: str | None = None
) -> str:
    """Say something about an album, or about a file in it; the comment's id.

    Raises `NotFound`, `Invalid`.
    """
    said = Comment(new_id(core.clock.now()), writing.lines(text, "comment"), file_id)
    if not said.text:
        raise Invalid("The comment is empty.")

    def write(con: sqlite3.Connection, by: By) -> None:
        if file_id is not None:
            albums.require_file(con, album_id, file_id)
        album_activity.comment(con, by, album_id, said)

    await core.db.write(lambda con: write(con, _speaker(con, actor, core, album_id)))
    return said.id


async def uncomment(actor: Actor, core: Core, album_id: str, comment_id: str) -> None:
    """Take back a comment: one's own, or with `edit` anybody's. Raises `NotFound`."""

    def write(con: sqlite3.Connection) -> None:
        by = _speaker(con, actor, core, album_id)
        found = reach.album(con, actor, album_id, Permission.VIEW)
        may_all = found.permission >= Permission.EDIT
        album_activity.uncomment(con, by, album_id, comment_id, whosever=may_all)

    await core.db.write(write)


async def favour(
    actor: Actor, core: Core, album_id: str, file_id: str, *, is_favourite: bool
) -> None:
    """Mark a file of an album as a favourite, or no longer; again is no mistake.

    Raises `NotFound`.
    """
    activity_id = new_id(core.clock.now()) if is_favourite else None

    def write(con: sqlite3.Connection) -> None:
        by = _speaker(con, actor, core, album_id)
        albums.require_file(con, album_id, file_id)
        album_activity.favour(con, by, album_id, file_id, activity_id)

    await core.db.write(write)


async def look(actor: Actor, core: Core, album_id: str, upto: str | None = None) -> None:
    """Remember that the actor has seen what is new, or all up to the activity `upto`."""
    require(actor, Right.ALBUMS_READ)

    def write(con: sqlite3.Connection) -> None:
        reach.album(con, actor, album_id, Permission.VIEW)
        album_activity.look(con, actor.user_id, album_id, upto)

    await core.db.write(write)


# --- how it is decided -------------------------------------------------------------------------


def _seen(con: sqlite3.Connection, actor: Actor, album_id: str) -> Seen:
    found = reach.album(con, actor, album_id, Permission.VIEW)
    return Seen(albums.get(con, actor.user_id, album_id), found.permission)


def _speaker(con: sqlite3.Connection, actor: Actor, core: Core, album_id: str) -> By:
    require(actor, Right.ALBUMS_COMMENT)
    reach.album(con, actor, album_id, Permission.VIEW)
    return audit.by(actor, core)


def _showable(
    con: sqlite3.Connection, actor: Actor, album_id: str, file_ids: Sequence[str]
) -> list[str]:
    """Those of the files that are the actor's, or that were lent to them to share on."""
    reach.album(con, actor, album_id, Permission.ADD)
    owner_of = albums.owners(con, file_ids)
    return [
        one
        for one in dict.fromkeys(file_ids)
        if one in owner_of and (owner_of[one] == actor.user_id or _may_share(con, actor, one))
    ]


def _may_share(con: sqlite3.Connection, actor: Actor, file_id: str) -> bool:
    try:
        reach.lendable(con, actor, "file", file_id)
    except Refused:
        return False
    return True


def _removable(
    con: sqlite3.Connection, actor: Actor, album_id: str, file_ids: Sequence[str]
) -> Sequence[str]:
    found = reach.widest(ways.to_album(con, actor.user_id, album_id))
    if found is not None and found.permission >= Permission.EDIT:
        return file_ids
    own = set(albums.removable(con, album_id, actor.user_id))
    if found is None and not own:
        raise NotFound("There is no such album.")
    return [one for one in file_ids if one in own]


def _checked(words: Words) -> Words:
    title = writing.line(words.title, "title")
    return replace(words, title=title, description=writing.lines(words.description, "description"))
