"""Albums as use cases: whose, for whom, and what anybody may do in them."""

from __future__ import annotations

import pytest

from pipeline.access.reach import Permission
from pipeline.errors import Invalid, NotAllowed, NotFound, Stale
from pipeline.model import Actor, Surface
from pipeline.service import albums, sharing
from pipeline.state.albums import Place, Words
from pipeline.state.grants import Thing, To
from tests.service.village import Village


async def _album(village: Village, *, lend: Permission | None = None) -> str:
    """Anna's album with her photos, lent to Ben."""
    made = await albums.make(village.anna, village.core, Words(" Summer  2023 "))
    await albums.add(village.anna, village.core, made.album.id, village.files)
    if lend is not None:
        thing = Thing("album", made.album.id)
        await sharing.lend(village.anna, village.core, thing, To("ben"), lend)
    return made.album.id


async def test_an_album_is_ones_own_and_told_in_ones_words(village: Village) -> None:
    """Titles are tidied, kept as meant, and refused where they are none."""
    album = await _album(village)
    seen = await albums.get(village.anna, village.core, album)
    assert (seen.album.title, seen.album.files, seen.permission) == (
        "Summer 2023",
        3,
        Permission.OWN,
    )
    for title in ("", "  ", "x" * 201, "a\x00b", "a\u202eb"):
        with pytest.raises(Invalid):
            await albums.make(village.anna, village.core, Words(title))


async def test_others_see_nothing_of_it(village: Village) -> None:
    """T64: not the album, not its files, not its feed; every call says it is not there."""
    album = await _album(village)
    core, dora = village.core, village.dora
    for call in (
        albums.get(dora, core, album),
        albums.page(dora, core, album),
        albums.feed(dora, core, album),
        albums.about(dora, core, album, village.files[0]),
        albums.add(dora, core, album, village.files),
        albums.remove(dora, core, album, village.files),
        albums.comment(dora, core, album, "Hello"),
        albums.favour(dora, core, album, village.files[0], is_favourite=True),
        albums.look(dora, core, album),
        albums.change(dora, core, album, Words("Mine")),
        albums.delete(dora, core, album),
        albums.restore(dora, core, album),
    ):
        with pytest.raises(NotFound):
            await call
    assert await albums.listing(dora, core) == []


async def test_who_may_look_may_speak_and_not_change(village: Village) -> None:
    """View: comments and favourites; nothing put in, taken out, renamed or deleted."""
    album = await _album(village, lend=Permission.VIEW)
    core, ben = village.core, Actor("ben", "guest", Surface.WEB)
    comment = await albums.comment(ben, core, album, "Lovely!\n", village.files[0])
    await albums.favour(ben, core, album, village.files[0], is_favourite=True)
    about = await albums.about(village.anna, core, album, village.files[0])
    assert [(one.name, one.kind, one.text) for one in about] == [
        ("ben", "commented", "Lovely!"),
        ("ben", "favourite", None),
    ]
    for call in (
        albums.add(village.ben, core, album, village.bens),
        albums.change(village.ben, core, album, Words("Ours")),
        albums.delete(village.ben, core, album),
    ):
        with pytest.raises(NotAllowed):
            await call
    assert await albums.remove(village.ben, core, album, village.files) == 0
    await albums.uncomment(ben, core, album, comment)


async def test_who_may_add_adds_what_is_theirs(village: Village) -> None:
    """Files of others are refused one by one, and what one added one may take out."""
    album = await _album(village, lend=Permission.ADD)
    core, ben = village.core, village.ben
    added = await albums.add(ben, core, album, [*village.bens, "nothing"])
    assert (added.added, added.refused) == (2, ("nothing",))
    clara = await albums.make(village.clara, core, Words("Stolen"))
    stolen = await albums.add(village.clara, core, clara.album.id, village.files)
    assert (stolen.added, len(stolen.refused)) == (0, 3)
    assert await albums.remove(ben, core, album, [*village.bens, *village.files]) == 2


async def test_what_is_seen_is_not_shown_on(village: Village) -> None:
    """T64: who may only look at a picture cannot put it into an album of their own."""
    await _album(village, lend=Permission.VIEW)
    mine = await albums.make(village.ben, village.core, Words("For Dora"))
    added = await albums.add(village.ben, village.core, mine.album.id, village.files)
    assert added.added == 0


async def test_who_lost_the_album_still_takes_out_what_is_theirs(village: Village) -> None:
    """Nobody has to leave pictures behind in an album they cannot see any more."""
    album = await _album(village, lend=Permission.ADD)
    core = village.core
    await albums.add(village.ben, core, album, village.bens)
    (grant,) = await sharing.of_thing(village.anna, core, Thing("album", album))
    await sharing.take_back(village.anna, core, grant.id)
    with pytest.raises(NotFound):
        await albums.page(village.ben, core, album)
    assert await albums.remove(village.ben, core, album, village.bens) == 2
    with pytest.raises(NotFound):
        await albums.remove(village.ben, core, album, village.bens)


async def test_who_may_edit_changes_and_may_not_delete(village: Village) -> None:
    """Deleting is its owner's alone; stale changes are refused."""
    album = await _album(village, lend=Permission.EDIT)
    core = village.core
    changed = await albums.change(village.ben, core, album, Words("Sea", "At the sea"), 1)
    assert (changed.album.title, changed.permission) == ("Sea", Permission.EDIT)
    with pytest.raises(Stale):
        await albums.change(village.anna, core, album, Words("Hills"), 1)
    with pytest.raises(NotAllowed):
        await albums.delete(village.ben, core, album)
    assert await albums.remove(village.ben, core, album, village.files) == 3


async def test_deleting_is_undone(village: Village) -> None:
    """The album comes back with its files, for those it was lent to as well."""
    album = await _album(village, lend=Permission.VIEW)
    core = village.core
    await albums.delete(village.anna, core, album, 1)
    assert [one.id for one in await albums.deleted(village.anna, core)] == [album]
    with pytest.raises(NotFound):
        await albums.get(village.ben, core, album)
    await albums.restore(village.anna, core, album)
    assert (await albums.get(village.ben, core, album)).album.files == 3


async def test_new_since_one_looked(village: Village) -> None:
    """What others did since one looked is counted until one looks again."""
    album = await _album(village, lend=Permission.ADD)
    core, ben = village.core, village.ben
    assert (await albums.get(ben, core, album)).album.new_files == 3
    await albums.look(ben, core, album)
    await albums.add(ben, core, album, village.bens)
    await albums.comment(village.anna, core, album, "Thank you!")
    seen = (await albums.get(ben, core, album)).album
    assert (seen.new_files, seen.new_comments) == (0, 1)
    assert (await albums.get(village.anna, core, album)).album.new_files == 2


async def test_lists_go_on_where_they_ended(village: Village) -> None:
    """Pages of albums and of files, and of what happened."""
    core, anna = village.core, village.anna
    ids = [await _album(village) for _ in range(3)]
    first = await albums.listing(anna, core, limit=2)
    second = await albums.listing(anna, core, after=first[-1].album.id)
    assert [one.album.id for one in (*first, *second)] == ids[::-1]
    page = await albums.page(anna, core, ids[0], limit=2)
    last = page[-1].row
    rest = await albums.page(anna, core, ids[0], after=Place(last.taken_utc or "", last.id))
    assert len({one.row.id for one in (*page, *rest)}) == 3
    assert (
        await albums.feed(anna, core, ids[0], before=(await albums.feed(anna, core, ids[0]))[0].id)
        == []
    )


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001, "bell\x07"])
async def test_what_is_no_comment_is_refused(village: Village, text: str) -> None:
    """Nothing, too much, and what nobody can see."""
    album = await _album(village)
    with pytest.raises(Invalid):
        await albums.comment(village.anna, village.core, album, text)


async def test_a_key_that_only_reads_says_nothing(village: Village) -> None:
    """T65: comments need their own scope."""
    album = await _album(village)
    key = Actor(village.anna.user_id, "owner", Surface.WEB, scopes=frozenset({"albums.read"}))
    await albums.get(key, village.core, album)
    with pytest.raises(NotAllowed, match=r"albums\.comment"):
        await albums.comment(key, village.core, album, "Hello")
