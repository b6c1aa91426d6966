"""People as use cases: decided by name, undone, asked for consent, and erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import Conflict, Invalid, NotAllowed, NotFound
from pipeline.library import people as grouped
from pipeline.library import people_erasing
from pipeline.model import Actor
from pipeline.service import people
from pipeline.state import people as rows
from pipeline.state import people_erasing as erasing
from pipeline.state import snapshots
from tests.kit import people as made_up
from tests.kit.state import AT
from tests.service.family import Family


async def _look(family: Family) -> tuple[str, str]:
    """Anna and Ben on each of the three photos; the ids of the two groups, Anna's first."""
    vectors, _ = made_up.faces(1, 2, 3, alike=0.9)
    for number, path in enumerate(family.photos):
        facts = made_up.facts(vectors[[number, 3 + number]])
        await family.world.db.write(rows.learn, family.actor.user_id, family.ids[path], facts, AT)
    await grouped.catch_up(family.world.db, family.world.clock)
    found = await people.listing(family.actor, family.core)
    left = {person.id: (await _boxes(family, person.id))[0] for person in found}
    anna, ben = sorted(left, key=lambda id: left[id])
    return anna, ben


async def _boxes(family: Family, who: str) -> list[float]:
    shown = await people.show(family.actor, family.core, who)
    return [portrait.face.box[0] for portrait in shown.portraits]


async def test_a_name_is_found_and_taken_back(family: Family) -> None:
    """What was decided can be said by name from then on, and undone by its id."""
    anna, _ = await _look(family)
    entry = await people.name(family.actor, family.core, anna, "Anna")
    shown = await people.show(family.actor, family.core, "ANNA")
    assert shown.person.id == anna
    assert {portrait.path for portrait in shown.portraits} == set(family.photos)
    (undoable,) = await people.undoable(family.actor, family.core)
    assert undoable.id == entry
    assert (await people.undo(family.actor, family.core, entry)).action == "name"
    with pytest.raises(NotFound):
        await people.show(family.actor, family.core, "Anna")


async def test_every_decision_and_back(family: Family) -> None:
    """A whole afternoon of decisions, taken back one by one, leaves the groups as they were."""
    anna, ben = await _look(family)
    before = await _groups(family)
    faces = (await people.show(family.actor, family.core, ben)).portraits
    await people.name(family.actor, family.core, anna, "Anna")
    await people.name(family.actor, family.core, ben, "Ben")
    with pytest.raises(Conflict):
        await people.name(family.actor, family.core, ben, "anna")
    await people.exclude(family.actor, family.core, [faces[0].face.id])
    await people.move(family.actor, family.core, [faces[1].face.id], None)
    await people.merge(family.actor, family.core, "Ben", (await _newest(family)))
    await people.hide(family.actor, family.core, "Ben", is_hidden=True)
    assert [p.name for p in await people.listing(family.actor, family.core)] == ["Anna"]
    while await people.undoable(family.actor, family.core):
        await people.undo(family.actor, family.core)
    assert await _groups(family) == before


async def _groups(family: Family) -> set[tuple[str, str | None, int]]:
    found = await people.listing(family.actor, family.core, everybody=True)
    return {(person.id, person.name, person.faces) for person in found}


async def _newest(family: Family) -> str:
    found = await people.listing(family.actor, family.core, everybody=True)
    return next(person.id for person in found if person.name is None)


async def test_a_no_is_final(family: Family) -> None:
    """Who said no is nobody to this program from then on; the snapshots do not know either."""
    anna, ben = await _look(family)
    await people.name(family.actor, family.core, ben, "Ben")
    database = family.core.home.database
    snapshots.take(database, family.core.clock.now(), "by-hand")
    erased = await people.consent(family.actor, family.core, "Ben", "no")
    assert erased == people.Erased(3, ())
    assert [p.consent for p in await people.listing(family.actor, family.core)] == ["unknown", "no"]
    assert (await people.show(family.actor, family.core, "Ben")).portraits == ()
    with pytest.raises(Invalid):
        await people.merge(family.actor, family.core, anna, "Ben")
    with pytest.raises(NotFound):
        await people.undo(family.actor, family.core)
    (snapshot,) = snapshots.listing(database)
    assert snapshots.is_good(snapshot)
    await people.consent(family.actor, family.core, "Ben", "yes")
    await people.name(family.actor, family.core, anna, "Anna")


async def test_recognition_is_switched_by_who_runs_the_household(family: Family) -> None:
    """Off erases all and stays off; a guest may do neither."""
    await _look(family)
    guest = replace(family.actor, role="guest")
    for switch in (people.turn_recognition_off, people.turn_recognition_on):
        with pytest.raises(NotAllowed):
            await switch(guest, family.core)
    erased = await people.turn_recognition_off(family.actor, family.core)
    assert erased == people.Erased(6, ())
    assert not await people.recognition_is_on(family.actor, family.core)
    assert await people.listing(family.actor, family.core, everybody=True) == []
    await people.turn_recognition_on(family.actor, family.core)
    assert await people.recognition_is_on(family.actor, family.core)


async def test_an_erasing_cut_short_is_finished(family: Family) -> None:
    """What a crash left in snapshots goes at the next start; nothing is done twice."""
    await _look(family)
    database = family.core.home.database
    taken = snapshots.take(database, family.core.clock.now(), "by-hand")
    await family.world.db.write(erasing.turn_off, family.core.clock, actor="cli")
    await people_erasing.finish(family.world.db, family.core.home)
    assert not await family.world.db.read(erasing.must_rewrite)
    assert [one.path for one in snapshots.listing(database)] != [taken.path]
    again = snapshots.listing(database)
    await people_erasing.finish(family.world.db, family.core.home)
    assert snapshots.listing(database) == again


async def test_what_cannot_be_written_anew_is_told(family: Family) -> None:
    """A damaged snapshot and a state set aside are named, for a person to remove."""
    await _look(family)
    database = family.core.home.database
    taken = snapshots.take(database, family.core.clock.now(), "by-hand")
    with taken.path.open("r+b") as file:
        file.seek(5000)
        file.write(b"rotten")
    aside = database.parent / "damaged-20240101T000000Z"
    aside.mkdir()
    erased = await people.turn_recognition_off(family.actor, family.core)
    assert erased.left == (taken.path, aside)


async def test_another_owner_sees_and_decides_nothing(family: Family) -> None:
    """Foreign people and absent ones look the same."""
    anna, ben = await _look(family)
    stranger = Actor("somebody", "owner", family.actor.surface)
    faces = (await people.show(family.actor, family.core, ben)).portraits
    assert await people.listing(stranger, family.core, everybody=True) == []
    for attempt in (
        people.show(stranger, family.core, anna),
        people.name(stranger, family.core, anna, "Mine"),
        people.merge(stranger, family.core, anna, ben),
        people.move(stranger, family.core, [faces[0].face.id], None),
        people.exclude(stranger, family.core, [faces[0].face.id]),
        people.answer(stranger, family.core, faces[0].face.id, faces[1].face.id, is_same=True),
        people.consent(stranger, family.core, anna, "no"),
        people.undo(stranger, family.core),
    ):
        with pytest.raises(NotFound):
            await attempt
