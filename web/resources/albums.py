"""Albums: one's own and those that others share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import albums
from pipeline.service.albums import Seen
from pipeline.service.answers import Album, AlbumFile, Place, Words
from web.contract import API, LARGE_BODY, Answer, Asked, Given, Resource, Taken
from web.paging import Paged, cursor_of, cut, links, values_of
from web.resources.album_views import (
    Activities,
    ActivityView,
    AlbumFileView,
    AlbumPage,
    AlbumView,
    DeletedAlbum,
    DeletedAlbums,
    FilesPage,
)  # fmt: skip
from web.versions import seen, versioned

RESOURCE = Resource("albums", "Albums, what is in them, and what the family says.")
MOST_IDS = 10_000
Title = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class AlbumWanted(Taken):
    """A new album."""

    title: Title
    description: Annotated[str, Field(max_length=2_000)] = ""


class AlbumChange(Taken):
    """What is to change; what is not named stays. `cover` null: the newest picture."""

    title: Title | None = None
    description: Annotated[str, Field(max_length=2_000)] | None = None
    cover: Id | None = None


class Ids(Taken):
    """Files by id."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_IDS)]


class CameIn(Given):
    """How many files are new in the album; `refused` are not the caller's to show."""

    added: int
    refused: list[str]


class WentOut(Given):
    """How many files are no longer in the album."""

    removed: int


class Said(Taken):
    """A comment, about a file of the album or about all of it."""

    text: Annotated[str, Field(min_length=1, max_length=2_000)]
    file_id: Id | None = None


class CommentMade(Given):
    """The id of a new comment."""

    id: str


class LookedAt(Taken):
    """All up to this activity was seen; null: all there is."""

    upto: Id | None = None


# --- albums ------------------------------------------------------------------------------------


@RESOURCE.get("/albums", right=Right.ALBUMS_READ, gives=AlbumPage, query=Paged)
async def listing(asked: Asked, query: Paged) -> Answer:
    """Own albums and those that others share, the newest made first."""
    told = values_of(query.cursor, [str])
    after = str(told[0]) if told else None
    found = await albums.listing(asked.actor, asked.core, after=after, limit=query.limit + 1)
    page, cursor = cut(found, query.limit, lambda one: [one.album.id])
    body = AlbumPage(items=[_view(asked, one) for one in page], next=cursor)
    return Answer(body, headers=links(asked.request, cursor))


@RESOURCE.post("/albums", right=Right.ALBUMS_WRITE, takes=AlbumWanted, gives=AlbumView, status=201)
async def make(asked: Asked, body: AlbumWanted) -> Answer:
    """A new album, empty."""
    words = Words(body.title, body.description)
    made = await albums.make(asked.actor, asked.core, words)
    place = f"{API}/albums/{made.album.id}"
    return versioned(_view(asked, made), made.album.version, Location=place)


@RESOURCE.get("/albums/deleted", right=Right.ALBUMS_READ, gives=DeletedAlbums)
async def deleted(asked: Asked) -> DeletedAlbums:
    """Own albums that were deleted and can be brought back."""
    found = await albums.deleted(asked.actor, asked.core)
    return DeletedAlbums(items=[DeletedAlbum.model_validate(one) for one in found])


@RESOURCE.get("/albums/<album_id>", right=Right.ALBUMS_READ, gives=AlbumView)
async def show(asked: Asked, album_id: str) -> Answer:
    """One album, with what is new since one looked."""
    return _answer(asked, await albums.get(asked.actor, asked.core, album_id))


@RESOURCE.patch(
    "/albums/<album_id>",
    right=Right.ALBUMS_WRITE,
    takes=AlbumChange,
    gives=AlbumView,
    is_conditional=True,
)
async def change(asked: Asked, album_id: str, body: AlbumChange) -> Answer:
    """Another title, description or cover."""
    now = (await albums.get(asked.actor, asked.core, album_id)).album
    words = Words(
        body.title or now.title,
        now.description if body.description is None else body.description,
        body.cover if "cover" in body.model_fields_set else now.chosen_cover,
    )
    changed = await albums.change(asked.actor, asked.core, album_id, words, seen(asked))
    return _answer(asked, changed)


@RESOURCE.delete("/albums/<album_id>", right=Right.ALBUMS_WRITE, errors=(412,))
async def delete(asked: Asked, album_id: str) -> Answer:
    """Delete one's own album; its files stay. It can be restored for as long as trash is kept."""
    await albums.delete(asked.actor, asked.core, album_id, seen(asked))
    return Answer(headers={"Link": f'<{API}/albums/{album_id}/restore>; rel="undo"'})


@RESOURCE.post("/albums/<album_id>/restore", right=Right.ALBUMS_WRITE, gives=AlbumView)
async def restore(asked: Asked, album_id: str) -> Answer:
    """Bring a deleted album back, with all that was in it."""
    return _answer(asked, await albums.restore(asked.actor, asked.core, album_id))


# --- files -------------------------------------------------------------------------------------


@RESOURCE.get("/albums/<album_id>/files", right=Right.ALBUMS_READ, gives=FilesPage, query=Paged)
async def listing_files(asked: Asked, album_id: str, query: Paged) -> Answer:
    """What is in the album, the newest taken first."""
    told = values_of(query.cursor, [str, str])
    after = Place(str(told[0]), str(told[1])) if told else None
    found = await albums.page(asked.actor, asked.core, album_id, after=after, limit=query.limit + 1)
    page = found[: query.limit]
    cursor = _cursor(page[-1]) if len(found) > query.limit else None
    body = FilesPage(items=[AlbumFileView.of(one) for one in page], next=cursor)
    return Answer(body, headers=links(asked.request, cursor))


@RESOURCE.post(
    "/albums/<album_id>/files",
    right=Right.ALBUMS_WRITE,
    takes=Ids,
    gives=CameIn,
    body_limit=LARGE_BODY,
    errors=(409,),
)
async def add(asked: Asked, album_id: str, body: Ids) -> CameIn:
    """Put files into the album: own ones, and those that are lent to be shared on."""
    added = await albums.add(asked.actor, asked.core, album_id, body.ids)
    return CameIn(added=added.added, refused=list(added.refused))


@RESOURCE.post(
    "/albums/<album_id>/files/remove",
    right=Right.ALBUMS_WRITE,
    takes=Ids,
    gives=WentOut,
    body_limit=LARGE_BODY,
)
async def remove(asked: Asked, album_id: str, body: Ids) -> WentOut:
    """Take files out of the album; they stay in the library."""
    return WentOut(removed=await albums.remove(asked.actor, asked.core, album_id, body.ids))


@RESOURCE.put(
    "/albums/<album_id>/files/<file_id>/favourite", right=Right.ALBUMS_COMMENT, status=204
)
async def favour(asked: Asked, album_id: str, file_id: str) -> Answer:
    """Mark a file of the album as a favourite."""
    await albums.favour(asked.actor, asked.core, album_id, file_id, is_favourite=True)
    return Answer()


@RESOURCE.delete("/albums/<album_id>/files/<file_id>/favourite", right=Right.ALBUMS_COMMENT)
async def disfavour(asked: Asked, album_id: str, file_id: str) -> Answer:
    """Take the mark back."""
    await albums.favour(asked.actor, asked.core, album_id, file_id, is_favourite=False)
    return Answer()


# --- what is said ------------------------------------------------------------------------------


@RESOURCE.get("/albums/<album_id>/activity", right=Right.ALBUMS_READ, gives=Activities, query=Paged)
async def feed(asked: Asked, album_id: str, query: Paged) -> Answer:
    """What happened in the album, the newest first."""
    told = values_of(query.cursor, [str])
    before = str(told[0]) if told else None
    found = await albums.feed(
        asked.actor, asked.core, album_id, before=before, limit=query.limit + 1
    )
    page, cursor = cut(found, query.limit, lambda one: [one.id])
    body = Activities(items=[ActivityView.model_validate(one) for one in page], next=cursor)
    return Answer(body, headers=links(asked.request, cursor))


@RESOURCE.get(
    "/albums/<album_id>/files/<file_id>/activity", right=Right.ALBUMS_READ, gives=Activities
)
async def about(asked: Asked, album_id: str, file_id: str) -> Activities:
    """What was said about one file of the album, the oldest first."""
    found = await albums.about(asked.actor, asked.core, album_id, file_id)
    return Activities(items=[ActivityView.model_validate(one) for one in found], next=None)


@RESOURCE.post(
    "/albums/<album_id>/comments",
    right=Right.ALBUMS_COMMENT,
    takes=Said,
    gives=CommentMade,
    status=201,
)
async def comment(asked: Asked, album_id: str, body: Said) -> CommentMade:
    """Say something about the album, or about a file in it."""
    made = await albums.comment(asked.actor, asked.core, album_id, body.text, body.file_id)
    return CommentMade(id=made)


@RESOURCE.delete("/albums/<album_id>/comments/<comment_id>", right=Right.ALBUMS_COMMENT)
async def uncomment(asked: Asked, album_id: str, comment_id: str) -> Answer:
    """Take a comment back: one's own, or any in an album that one may edit."""
    await albums.uncomment(asked.actor, asked.core, album_id, comment_id)
    return Answer()


@RESOURCE.post("/albums/<album_id>/seen", right=Right.ALBUMS_READ, takes=LookedAt, status=204)
async def look(asked: Asked, album_id: str, body: LookedAt) -> Answer:
    """Remember that one has seen what is new."""
    await albums.look(asked.actor, asked.core, album_id, body.upto)
    return Answer()


def _answer(asked: Asked, one: Seen) -> Answer:
    return versioned(_view(asked, one), one.album.version)


def _view(asked: Asked, one: Seen) -> AlbumView:
    told = {name: getattr(one.album, name) for name in Album.__dataclass_fields__}
    told.pop("chosen_cover")
    is_own = one.album.owner_id == asked.actor.user_id
    return AlbumView(**told, permission=one.permission.word, is_own=is_own)


def _cursor(last: AlbumFile) -> str:
    return cursor_of([last.row.taken_utc or "", last.row.id])
