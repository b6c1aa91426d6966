"""Teams and quotas as use cases: who may set them, who may see them."""

from __future__ import annotations

import pytest

from pipeline.errors import Conflict, Invalid, NotAllowed, NotFound, Stale, TooLarge
from pipeline.model import Actor, Surface
from pipeline.service import quotas, teams
from pipeline.state.quotas import Limits
from tests.service.village import Village


async def test_teams_are_made_by_who_runs_the_household(village: Village) -> None:
    """T66: everybody else is refused; members see their own teams alone."""
    core, anna, ben = village.core, village.anna, village.ben
    for call in (
        teams.make(ben, core, "Mine"),
        teams.retitle(ben, core, village.team, "Mine"),
        teams.delete(ben, core, village.team),
        teams.join(ben, core, village.team, "ben"),
        teams.leave(ben, core, village.team, "clara"),
    ):
        with pytest.raises(NotAllowed):
            await call
    assert await teams.listing(ben, core) == []
    with pytest.raises(NotFound):
        await teams.get(ben, core, village.team)
    assert [one.name for one in await teams.listing(village.clara, core)] == ["Grandparents"]
    assert [one.name for one in await teams.listing(anna, core)] == ["Grandparents"]


async def test_names_of_teams_are_taken_once(village: Village) -> None:
    """Case and composition do not make another name; a stale change is refused."""
    core, anna = village.core, village.anna
    friends = await teams.make(anna, core, "Friends")
    with pytest.raises(Conflict):
        await teams.make(anna, core, "FRIENDS")
    with pytest.raises(Conflict):
        await teams.retitle(anna, core, friends.id, "grandparents")
    with pytest.raises(Stale):
        await teams.retitle(anna, core, friends.id, "Pals", 9)
    renamed = await teams.retitle(anna, core, friends.id, "Pals", friends.version)
    assert (renamed.name, renamed.version) == ("Pals", 2)
    await teams.delete(anna, core, friends.id, 2)
    with pytest.raises(NotFound):
        await teams.get(anna, core, friends.id)


async def test_members_come_and_go(village: Village) -> None:
    """Joining twice is joining once; oneself one may always take out."""
    core, anna = village.core, village.anna
    await teams.join(anna, core, village.team, "ben")
    team = await teams.join(anna, core, village.team, "ben")
    assert [one.name for one in team.members] == ["ben", "clara"]
    await teams.leave(village.ben, core, village.team, "ben")
    with pytest.raises(NotFound):
        await teams.leave(village.ben, core, village.team, "ben")
    with pytest.raises(NotFound):
        await teams.join(anna, core, village.team, "nobody")


async def test_quotas_are_set_by_who_runs_the_household(village: Village) -> None:
    """T66: one sees one's own limits, and nobody else's."""
    core, ben = village.core, village.ben
    quota = await quotas.put(village.anna, core, "ben", Limits(hard_files=2))
    assert (await quotas.get(ben, core, "ben")).limits.hard_files == 2
    for call in (
        quotas.listing(ben, core),
        quotas.get(ben, core, "clara"),
        quotas.put(ben, core, "ben", Limits()),
        quotas.lift(ben, core, "ben"),
    ):
        with pytest.raises(NotAllowed):
            await call
    with pytest.raises(Stale):
        await quotas.put(village.anna, core, "ben", Limits(), quota.version + 1)
    with pytest.raises(Invalid):
        await quotas.put(village.anna, core, "ben", Limits(soft_files=2, hard_files=1))
    assert len(await quotas.listing(village.anna, core)) == 4


async def test_room_is_taken_from_whose_library_it_is(village: Village) -> None:
    """Who uploads into a lent library uses its owner's room."""
    core, anna = village.core, village.anna
    await quotas.put(anna, core, anna.user_id, Limits(hard_files=len(village.family.ids) + 1))
    into = Actor("ben", "editor", Surface.WEB, library=anna.user_id)
    await quotas.reserve(into, core, "one", 10, 1)
    with pytest.raises(TooLarge):
        await quotas.reserve(anna, core, "two", 10, 1)
    await quotas.reserve(village.ben, core, "three", 10, 1)
    await quotas.lift(anna, core, anna.user_id)
    await quotas.reserve(anna, core, "two", 10, 1)


async def test_derivatives_are_counted_in_time(village: Village) -> None:
    """Where they count, what was made of files is counted before room is promised."""
    core = village.core
    limits = Limits(hard_bytes=10_000, counts_derivatives=True)
    await quotas.put(village.anna, core, "ben", limits)
    quota = await quotas.get(village.ben, core, "ben")
    assert quota.usage.derived_bytes == 0
    await quotas.reserve(village.ben, core, "one", 1, 1)
