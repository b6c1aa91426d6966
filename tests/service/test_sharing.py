"""Lending as a use case: given, changed, taken back, and explained."""

from __future__ import annotations

import pytest

from pipeline.access.reach import Permission
from pipeline.access.rights import Right
from pipeline.errors import NotAllowed, NotFound
from pipeline.model import Actor, Surface
from pipeline.service import albums, files, shares, sharing, trash
from pipeline.state.albums import Words
from pipeline.state.grants import Thing, To
from tests.service.village import Village

VIEW, EDIT, MANAGE = Permission.VIEW, Permission.EDIT, Permission.MANAGE


async def test_into_a_library_and_out_again(village: Village) -> None:
    """A lent library is looked at with its own files; taken back it is gone."""
    core, ben = village.core, village.ben
    thing = Thing("library", village.anna.user_id)
    with pytest.raises(NotFound):
        await sharing.into_library(ben, core, village.anna.user_id, Right.FILES_READ)
    grant = await sharing.lend(village.anna, core, thing, To("ben"), VIEW)
    inside = await sharing.into_library(ben, core, village.anna.user_id, Right.FILES_READ)
    assert (await files.one(inside, core, village.files[0])).id == village.files[0]
    assert inside.user_id == "ben"
    with pytest.raises(NotAllowed):
        await sharing.into_library(ben, core, village.anna.user_id, Right.FILES_TRASH)
    (lent,) = await sharing.libraries(ben, core)
    assert (lent.owner_id, lent.permission) == (village.anna.user_id, VIEW)
    await sharing.take_back(village.anna, core, grant.id)
    with pytest.raises(NotFound):
        await sharing.to_file(ben, core, village.files[0], Right.FILES_READ)


async def test_a_hand_on_a_library_is_told_as_whose_it_is(village: Village) -> None:
    """Who trashes in a lent library is named in the trash; the files stay their owner's."""
    core, anna = village.core, village.anna
    thing = Thing("library", anna.user_id)
    await sharing.lend(anna, core, thing, To(team_id=village.team), EDIT)
    inside = await sharing.into_library(village.clara, core, anna.user_id, Right.FILES_TRASH)
    await trash.put(inside, core, [village.files[0]])
    (entry,) = await trash.listing(anna, core)
    assert entry.actor == "web:clara"
    assert await trash.listing(village.clara, core) == []


async def test_a_role_still_says_what_one_may_do(village: Village) -> None:
    """A guest to whom a library is lent to edit still may not trash."""
    core, anna = village.core, village.anna
    await sharing.lend(anna, core, Thing("library", anna.user_id), To("ben"), EDIT)
    guest = Actor("ben", "guest", Surface.WEB)
    with pytest.raises(NotAllowed, match="role guest"):
        await sharing.into_library(guest, core, anna.user_id, Right.FILES_TRASH)


async def test_only_who_may_lends(village: Village) -> None:
    """T64, T66: what is foreign is not there to be lent; what is lent narrowly stays so."""
    core, ben = village.core, village.ben
    for thing in (
        Thing("library", village.anna.user_id),
        Thing("file", village.files[0]),
        Thing("album", "nothing"),
    ):
        for call in (
            sharing.lend(ben, core, thing, To("dora"), VIEW),
            sharing.of_thing(ben, core, thing),
            sharing.audience(ben, core, thing),
            sharing.explain(ben, core, thing, "dora"),
            sharing.explain(ben, core, thing, "ben"),
        ):
            with pytest.raises(NotFound):
                await call
    thing = Thing("file", village.files[0])
    await sharing.lend(village.anna, core, thing, To("ben"), EDIT)
    with pytest.raises(NotAllowed):
        await sharing.lend(ben, core, thing, To("dora"), VIEW)
    await sharing.lend(village.anna, core, thing, To("ben"), MANAGE)
    await sharing.lend(ben, core, thing, To("dora"), VIEW)
    await sharing.to_file(village.dora, core, village.files[0], Right.FILES_READ)


async def test_nothing_can_be_lent_as_ones_own(village: Village) -> None:
    """Ownership is not lent: the most is to share on."""
    thing = Thing("file", village.files[0])
    grant = await sharing.lend(village.anna, village.core, thing, To("ben"), Permission.OWN)
    assert grant.permission == "manage"


async def test_a_grant_ends_by_either_side_and_by_nobody_else(village: Village) -> None:
    """Who holds it may give it back; for others it is not there."""
    core, thing = village.core, Thing("file", village.files[0])
    grant = await sharing.lend(village.anna, core, thing, To("ben"), VIEW)
    for call in (
        sharing.take_back(village.dora, core, grant.id),
        sharing.get(village.dora, core, grant.id),
        sharing.take_back(village.dora, core, "nothing"),
    ):
        with pytest.raises(NotFound, match="no such grant"):
            await call
    assert (await sharing.get(village.ben, core, grant.id)).id == grant.id
    assert [one.id for one in await sharing.held(village.ben, core)] == [grant.id]
    await sharing.take_back(village.ben, core, grant.id)
    assert await sharing.held(village.ben, core) == []


async def test_a_member_cannot_end_what_is_lent_to_the_team(village: Village) -> None:
    """One may leave a team, not take a picture from all the others."""
    core, thing = village.core, Thing("file", village.files[0])
    grant = await sharing.lend(village.anna, core, thing, To(team_id=village.team), VIEW)
    with pytest.raises(NotFound):
        await sharing.take_back(village.clara, core, grant.id)


async def test_everybody_who_sees_a_picture_is_named_with_the_reason(village: Village) -> None:
    """P8: an owner can always tell who sees a picture, and by which links."""
    core, anna, file = village.core, village.anna, village.files[0]
    album = (await albums.make(anna, core, Words("Summer"))).album.id
    await albums.add(anna, core, album, [file])
    await sharing.lend(anna, core, Thing("album", album), To(team_id=village.team), VIEW)
    await sharing.lend(anna, core, Thing("file", file), To("ben"), EDIT)
    await shares.of_album(anna, core, album, shares.Wanted(title="For all"))
    seen = await sharing.audience(anna, core, Thing("file", file))
    assert {one.name: one.permission for one in seen.people} == {
        "ann": Permission.OWN,
        "ben": EDIT,
        "clara": VIEW,
    }
    assert [one.title for one in seen.links] == ["For all"]
    told = await sharing.explain(village.clara, core, Thing("file", file), "clara")
    assert told.sentences == (
        "clara sees this file because they are in the team “Grandparents”, which may look at the"
        " album “Summer”, and it is in that.",
    )


async def test_receivers_are_everybody_else(village: Village) -> None:
    """The people and teams to choose from, without oneself."""
    found = await sharing.receivers(village.ben, village.core)
    assert [one.name for one in found.people] == ["ann", "clara", "dora"]
    assert [one.name for one in found.teams] == ["Grandparents"]
