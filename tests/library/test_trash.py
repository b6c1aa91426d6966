"""Trash, restore, purge, moves, undo: seen before they are done, reversed after."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import Conflict, IntegrityBroken, NotFound, Refused
from pipeline.library import journal, moving, placing, recover, trash
from pipeline.library.names import parse
from pipeline.library.renaming import Kept, Renamed
from pipeline.library.trash import Asking
from pipeline.model import BundleRole
from tests.kit.clock import FakeClock
from tests.kit.invariants import violations
from tests.library.world import TEMPLATE, World, listing, make_home, open_world, write

LIVE = (
    ("IMG_1.HEIC", b"photo", BundleRole.PRIMARY),
    ("IMG_1.MOV", b"video", BundleRole.LIVE_VIDEO),
    ("IMG_1.HEIC.xmp", b"sidecar", BundleRole.SIDECAR),
)


def asking(world: World, job: str | None = None) -> Asking:
    """The owner, by command line."""
    return Asking(world.owner, "cli:ann", job=job, reason="blurred")


async def shelve(world: World, *ids: str) -> None:
    """Place files without more ado."""
    results = await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    assert set(results.values()) == {None}


async def a_live_photo(world: World, job: str | None = None) -> list[str]:
    """A placed Live Photo with its sidecar."""
    more = {"job": job} if job else {}
    ids = await world.bundle(*LIVE, **more)
    await shelve(world, *ids)
    return ids


async def put(world: World, *ids: str, job: str | None = None) -> list[Renamed | Kept]:
    """Trash files."""
    return await trash.put(world.db, world.clock, world.home, ids, asking(world, job))


async def restore(world: World, *ids: str, job: str | None = None) -> list[Renamed | Kept]:
    """Restore files."""
    return await trash.restore(world.db, world.clock, world.home, ids, asking(world, job))


async def test_a_bundle_is_trashed_and_restored_as_one(world: World) -> None:
    """T16: whoever trashes the photo trashes its video and sidecar, and gets all of them back."""
    ids = await a_live_photo(world)
    assert all(isinstance(one, Renamed) for one in await put(world, ids[1]))
    assert listing(world.home.library) == []
    assert len(listing(world.home.trash)) == 3
    assert len({str(Path(path).parent) for path in listing(world.home.trash)}) == 1
    assert sorted(await world.events("file.trashed")) == sorted(ids)
    await restore(world, ids[0])
    assert listing(world.home.trash) == []
    assert listing(world.home.library) == [
        "2023/2023-10/IMG_1.HEIC", "2023/2023-10/IMG_1.HEIC.xmp", "2023/2023-10/IMG_1.MOV",
    ]  # fmt: skip
    assert sorted(await world.events("file.restored")) == sorted(ids)


async def test_a_name_taken_meanwhile_gets_a_number(world: World) -> None:
    """A restored bundle never overwrites; all its members get the same number."""
    ids = await a_live_photo(world)
    await put(world, *ids)
    write(world.path("2023/2023-10/IMG_1.MOV"), b"somebody else's")
    await restore(world, *ids)
    assert listing(world.home.library) == [
        "2023/2023-10/IMG_1 (2).HEIC", "2023/2023-10/IMG_1 (2).HEIC.xmp",
        "2023/2023-10/IMG_1 (2).MOV", "2023/2023-10/IMG_1.MOV",
    ]  # fmt: skip


async def test_only_the_owners_library_files_are_trashed(world: World) -> None:
    """Foreign ids look absent; files that are not in the library are refused."""
    file_id = await world.add("IMG_1.JPG", b"photo")
    with pytest.raises(Refused):
        await put(world, file_id)
    await shelve(world, file_id)
    stranger = replace(asking(world), owner_id="somebody else")
    with pytest.raises(NotFound):
        await trash.put(world.db, world.clock, world.home, [file_id], stranger)
    with pytest.raises(Refused):
        await restore(world, file_id)
    assert listing(world.home.library) == ["2023/2023-10/IMG_1.JPG"]


async def test_content_taken_in_anew_is_not_restored_twice(world: World) -> None:
    """A trashed file whose content came in again stays in the trash, with a reason."""
    first = await world.add("a/IMG_1.JPG", b"photo")
    await shelve(world, first)
    await put(world, first)
    await shelve(world, await world.add("b/IMG_1.JPG", b"photo"))
    [kept] = await restore(world, first)
    assert isinstance(kept, Kept)
    assert isinstance(kept.error, Conflict)
    assert len(listing(world.home.trash)) == 1


# --- purge -------------------------------------------------------------------------------------


FATES = ("due", "machine", "restored", "altered", "early", "kept")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [500, pytest.param(5_000, marks=pytest.mark.long)])
async def test_purge_deletes_exactly_its_list(tmp_path: Path, count: int) -> None:
    """T15: of 5,000 due, early, restored, altered or machine-trashed files only the due ones go."""
    clock = FakeClock()
    async with open_world(make_home(tmp_path), clock) as world:
        await recover.settle(world.db, world.clock, world.home)
        ids = await files_of_every_fate(world, count)
        by_machine = replace(asking(world), by_person=False)
        await trash.put(world.db, clock, world.home, ids["machine"], by_machine)
        await put(world, *ids["due"], *ids["restored"], *ids["altered"])
        clock.jump(timedelta(days=29, hours=23).total_seconds())
        await put(world, *ids["early"])
        assert (await trash.plan_purge(world.db, clock, world.owner)).entries == ()
        clock.jump(timedelta(hours=2).total_seconds())
        plan = await trash.plan_purge(world.db, clock, world.owner)
        planned = sorted(entry.file_id for entry in plan.entries)
        assert planned == sorted(ids["due"] + ids["restored"] + ids["altered"])
        await restore(world, *ids["restored"])
        for path in world.home.trash.rglob("altered-*.jpg"):
            path.write_bytes(b"flipped")
        gone, kept = await trash.purge(world.db, clock, world.home, plan, actor="cli:ann")
        assert sorted(entry.file_id for entry in gone) == sorted(ids["due"])
        reasons = {one.file_id: type(one.error) for one in kept}
        wanted = dict.fromkeys(ids["restored"], Conflict)
        assert reasons == wanted | dict.fromkeys(ids["altered"], IntegrityBroken)
        assert fates(listing(world.home.trash)) == {"altered", "early", "machine"}
        assert fates(listing(world.home.library)) == {"kept", "restored"}
        left = len(listing(world.home.trash)) + len(listing(world.home.library))
        assert left == count - len(ids["due"])
        assert sorted(await world.events("file.purged")) == sorted(ids["due"])


async def files_of_every_fate(world: World, count: int) -> dict[str, list[str]]:
    """So many files in the library, named for what is to become of them; their ids by that."""
    ids: dict[str, list[str]] = {fate: [] for fate in FATES}
    for fate in FATES:
        share = range(FATES.index(fate), count, len(FATES))
        names = [f"{fate}-{number}" for number in share]
        adding = (world.add(f"{name}.jpg", name.encode()) for name in names)
        ids[fate] = list(await asyncio.gather(*adding))
        await shelve(world, *ids[fate])
    return ids


def fates(paths: list[str]) -> set[str]:
    """What the files at these paths were named for."""
    return {Path(path).name.partition("-")[0] for path in paths}


async def test_a_confirmed_purge_takes_early_files_too(world: World) -> None:
    """What a person saw and confirmed goes at once, but never what no person put there."""
    ids = [await world.add(f"{n}.jpg", b"%d" % n) for n in range(2)]
    await shelve(world, *ids)
    await put(world, ids[0])
    machine = replace(asking(world), by_person=False)
    await trash.put(world.db, world.clock, world.home, [ids[1]], machine)
    plan = await trash.plan_purge(world.db, world.clock, world.owner, everything=True)
    gone, kept = await trash.purge(world.db, world.clock, world.home, plan, actor="cli:ann")
    assert [entry.file_id for entry in gone] == [ids[0]]
    assert kept == []


async def test_an_interrupted_purge_is_finished_by_the_next(world: World) -> None:
    """A file that is gone from the trash already counts as purged."""
    file_id = await world.add("1.jpg", b"1")
    await shelve(world, file_id)
    await put(world, file_id)
    [path] = listing(world.home.trash)
    (world.home.trash / path).unlink()
    plan = await trash.plan_purge(world.db, world.clock, world.owner, everything=True)
    gone, _ = await trash.purge(world.db, world.clock, world.home, plan, actor="cli:ann")
    assert [entry.file_id for entry in gone] == [file_id]


# --- moves -------------------------------------------------------------------------------------


async def test_a_new_template_moves_bundles_as_one(world: World) -> None:
    """The plan is what happens; files that lie right already stay; empty folders go."""
    ids = await a_live_photo(world)
    template = parse("{category}/{taken:%Y}/{name}")
    plan = await moving.plan(world.db, template, ids[:1], asking(world))
    planned = sorted(path for unit in plan for path in unit.paths())
    results = await moving.move(world.db, world.clock, world.home, plan)
    assert sorted(one.path for one in results if isinstance(one, Renamed)) == planned
    assert listing(world.home.library) == planned == [
        "photos/2023/IMG_1.HEIC", "photos/2023/IMG_1.HEIC.xmp", "photos/2023/IMG_1.MOV",
    ]  # fmt: skip
    assert not world.path("2023").exists()
    assert await moving.plan(world.db, template, ids, asking(world)) == []


async def test_a_place_told_is_kept_below_the_library(world: World) -> None:
    """T71: a person may name a place; dots and slashes do not lead out of the library."""
    ids = await a_live_photo(world)
    wanted = {ids[0]: "../../etc/My trip/Sunset.heic"}
    await moving.move_to(world.db, world.clock, world.home, wanted, asking(world))
    assert listing(world.home.library) == [
        "etc/My trip/Sunset.HEIC", "etc/My trip/Sunset.HEIC.xmp", "etc/My trip/Sunset.MOV",
    ]  # fmt: skip


# --- undo --------------------------------------------------------------------------------------


async def test_undoing_a_run_that_copied(tmp_path: Path) -> None:
    """Copies go to the trash, sources were never touched, and a second undo changes nothing."""
    from pipeline.model import Take

    async with open_world(make_home(tmp_path), take=Take.COPY) as world:
        await recover.settle(world.db, world.clock, world.home)
        job = await world.job()
        ids = await a_live_photo(world, job)
        assert len(await journal.plan(world.db, job, world.owner)) == 3
        undone = await journal.undo(
            world.db, world.clock, world.home, job, world.owner, actor="cli:ann"
        )
        assert (undone.reversed, undone.left) == (3, ())
        assert listing(world.home.library) == []
        assert len(listing(world.home.trash)) == len(listing(world.home.inbox)) == 3
        again = await journal.undo(
            world.db, world.clock, world.home, job, world.owner, actor="cli:ann"
        )
        assert (again.reversed, again.left) == (0, ())
        assert await world.events("job.undone") == [job]
        await restore(world, *ids)
        assert len(listing(world.home.library)) == 3


async def test_undoing_a_run_that_moved(world: World) -> None:
    """Sources are back where they were, whole; one whose place is taken is left, with its pair."""
    job = await world.job()
    lone = await world.add("lone.jpg", b"lone", job=job)
    ids = await a_live_photo(world, job)
    await shelve(world, lone)
    write(world.inbox.path / "IMG_1.MOV", b"another video by now")
    undone = await journal.undo(
        world.db, world.clock, world.home, job, world.owner, actor="cli:ann"
    )
    assert undone.reversed == 1
    assert {one.file_id for one in undone.left} == set(ids)
    assert (world.inbox.path / "lone.jpg").read_bytes() == b"lone"
    assert len(listing(world.home.library)) == 3
    (world.inbox.path / "IMG_1.MOV").unlink()
    again = await journal.undo(world.db, world.clock, world.home, job, world.owner, actor="cli:ann")
    assert (again.reversed, again.left) == (3, ())
    assert listing(world.home.inbox) == ["IMG_1.HEIC", "IMG_1.HEIC.xmp", "IMG_1.MOV", "lone.jpg"]
    assert listing(world.home.library) == []


async def test_undoing_moves_trash_and_restore(world: World) -> None:
    """Whatever a job did in the library is reversed, newest first."""
    ids = await a_live_photo(world)
    before = listing(world.home.library)
    job = await world.job("move")
    plan = await moving.plan(world.db, parse("x/{name}"), ids, asking(world, job))
    await moving.move(world.db, world.clock, world.home, plan)
    await put(world, *ids, job=job)
    undone = await journal.undo(
        world.db, world.clock, world.home, job, world.owner, actor="cli:ann"
    )
    assert (undone.reversed, undone.left) == (6, ())
    assert listing(world.home.library) == before
    with pytest.raises(NotFound):
        await journal.plan(world.db, job, "somebody else")


# --- histories ---------------------------------------------------------------------------------

_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["trash", "restore", "move", "retemplate", "clash", "settle"]),
        st.integers(0, 1),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=7,
)


async def _history(base: Path, acts: list[tuple[str, int, int]]) -> None:
    async with open_world(make_home(base)) as world:
        await recover.settle(world.db, world.clock, world.home)
        bundles = [await a_live_photo(world)]
        contents = {name: hashlib.sha256(data).hexdigest() for name, data, _ in LIVE}
        raw = (("R.JPG", b"jpeg", BundleRole.PRIMARY), ("R.CR2", b"raw", BundleRole.RAW))
        bundles.append(await world.bundle(*raw))
        await shelve(world, *bundles[1])
        contents |= {name: hashlib.sha256(data).hexdigest() for name, data, _ in raw}
        for act, which, member in acts:
            bundle = bundles[which]
            with contextlib.suppress(Refused):  # trashing what is trashed, restoring what is not
                await _act(world, act, bundle, bundle[member % len(bundle)])
            for together in bundles:
                await _is_together(world, together)
        for path in [p for p in world.home.library.rglob("*.*") if p.is_file()]:
            if path.read_bytes() == b"not ours":
                path.unlink()
        assert violations(world.home, contents, sources=[], settled=True) == []


async def _act(world: World, act: str, bundle: list[str], file_id: str) -> None:
    match act:
        case "trash":
            await put(world, file_id)
        case "restore":
            await restore(world, file_id)
        case "move":
            wanted = {file_id: f"told/{len(bundle)}/name.{file_id[-3:]}"}
            await moving.move_to(world.db, world.clock, world.home, wanted, asking(world))
        case "retemplate":
            plan = await moving.plan(
                world.db, parse("t/{taken:%Y}/{name}"), [file_id], asking(world)
            )
            await moving.move(world.db, world.clock, world.home, plan)
        case "clash":
            name = (await world.row(file_id))["source_path"].decode()
            place = world.path(f"t/2023/{name}")
            if not place.exists():
                write(place, b"not ours")
        case "settle":
            await recover.settle(world.db, world.clock, world.home)


async def _is_together(world: World, bundle: list[str]) -> None:
    rows = [await world.row(id) for id in bundle]
    assert len({row["state"] for row in rows}) == 1
    if rows[0]["state"] == "done":
        assert len({str(Path(row["path"]).parent) for row in rows}) == 1
        stems = {Path(row["path"]).name.partition(".")[0] for row in rows}
        assert len(stems) == 1


@given(_ACTS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_pairs_are_never_separated(acts: list[tuple[str, int, int]]) -> None:
    """T16: through any history of moves, trash and restores, bundles stay together and whole."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_history(Path(folder), acts))


@pytest.mark.long
@pytest.mark.timeout(1800)
@given(_ACTS)
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
def test_pairs_are_never_separated_in_a_thousand_histories(
    acts: list[tuple[str, int, int]],
) -> None:
    """T16 in full: a thousand histories."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_history(Path(folder), acts))
