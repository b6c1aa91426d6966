"""Placing: what ends up where, what happens to sources, and what collisions do."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

import pytest

from pipeline.errors import ChangedWhileRead, DarkroomError, StorageFull, TryLater
from pipeline.library import placing, planning, recover
from pipeline.model import BundleRole, RootKind, Take
from tests.kit.invariants import violations
from tests.library.world import TEMPLATE, World, add_many, listing, make_home, open_world, write


async def place(world: World, *ids: str) -> dict[str, DarkroomError | None]:
    """Place files; by id, what kept each out."""
    return dict(await placing.place(world.db, world.clock, world.home, TEMPLATE, ids))


async def test_a_moved_file_is_placed_and_released(world: World) -> None:
    """The file lies under its date, byte for byte and with its time, and has left the inbox."""
    file_id = await world.add("IMG_1.JPG", b"a photo")
    os.utime(world.inbox.path / "IMG_1.JPG", ns=(1, 1_600_000_000_123_456_789))
    await world.execute("UPDATE media_files SET mtime_ns = 1600000000123456789")
    assert await place(world, file_id) == {file_id: None}
    kept = world.path("2023/2023-10/IMG_1.JPG")
    assert kept.read_bytes() == b"a photo"
    assert kept.stat().st_mtime_ns == 1_600_000_000_123_456_789
    assert listing(world.home.inbox) == []
    row = await world.row(file_id)
    assert (row["state"], row["path"]) == ("done", "2023/2023-10/IMG_1.JPG")
    assert await world.events("file.placed") == await world.events("file.released") == [file_id]


async def test_a_copied_source_is_left_alone(world: World, tmp_path: Path) -> None:
    """With `copy` the source stays as it was, and nothing is told of a release."""
    root = await world.root(tmp_path / "card", RootKind.FOREIGN, Take.COPY)
    file_id = await world.add("IMG_1.JPG", b"a photo", root=root)
    assert await place(world, file_id) == {file_id: None}
    assert (root.path / "IMG_1.JPG").read_bytes() == b"a photo"
    assert (await world.row(file_id))["state"] == "done"
    assert await world.events("file.released") == []


async def test_an_indexed_file_is_never_placed(world: World, tmp_path: Path) -> None:
    """With `index` a file is done where it lies; nothing is written."""
    root = await world.root(tmp_path / "nas", RootKind.FOREIGN, Take.INDEX)
    file_id = await world.add("IMG_1.JPG", b"a photo", root=root)
    assert await place(world, file_id) == {file_id: None}
    assert listing(world.home.library) == []
    assert (await world.row(file_id))["state"] == "done"


async def test_a_bundle_gets_one_stem(world: World) -> None:
    """T16: a name that is taken renames the whole bundle, so that pairs stay recognisable."""
    other = await world.add("a/IMG_1.MOV", b"another video")
    await place(world, other)
    ids = await world.bundle(
        ("b/IMG_1.HEIC", b"photo", BundleRole.PRIMARY),
        ("b/IMG_1.MOV", b"video", BundleRole.LIVE_VIDEO),
        ("b/IMG_1.HEIC.xmp", b"sidecar", BundleRole.SIDECAR),
    )
    assert set((await place(world, ids[0])).values()) == {None}
    assert listing(world.home.library) == [
        "2023/2023-10/IMG_1 (2).HEIC",
        "2023/2023-10/IMG_1 (2).HEIC.xmp",
        "2023/2023-10/IMG_1 (2).MOV",
        "2023/2023-10/IMG_1.MOV",
    ]


async def test_a_bundle_is_placed_as_a_whole_or_not_at_all(world: World) -> None:
    """T16: when one member has changed, none is placed, and the other only waits."""
    photo, video = await world.bundle(
        ("IMG_1.HEIC", b"photo", BundleRole.PRIMARY), ("IMG_1.MOV", b"video", BundleRole.LIVE_VIDEO)
    )
    write(world.inbox.path / "IMG_1.MOV", b"another video by now")
    results = await place(world, photo, video)
    assert isinstance(results[video], ChangedWhileRead)
    assert isinstance(results[photo], TryLater)
    assert listing(world.home.library) == []
    assert {row["state"] for row in (await world.rows()).values()} == {"studied"}


async def test_a_late_member_joins_its_bundle(world: World) -> None:
    """A sidecar that arrives after its photo was placed gets the photo's stem and folder."""
    await place(world, await world.add("a/IMG_1.JPG", b"somebody else"))
    photo = (await world.bundle(("b/IMG_1.JPG", b"photo", BundleRole.PRIMARY)))[0]
    await place(world, photo)
    bundle = (await world.row(photo))["bundle_id"]
    late = await world.add(
        "b/IMG_1.JPG.xmp", b"late", bundle=bundle, role=BundleRole.SIDECAR, taken_at=None
    )
    await place(world, late)
    assert (await world.row(late))["path"] == "2023/2023-10/IMG_1 (2).JPG.xmp"


async def test_names_that_differ_only_in_case_are_one_name(world: World) -> None:
    """Two files whose names one disk cannot tell apart get two names."""
    ids = [await world.add("a/img_1.jpg", b"1"), await world.add("b/IMG_1.JPG", b"2")]
    await place(world, *ids)
    assert listing(world.home.library) == ["2023/2023-10/IMG_1 (2).JPG", "2023/2023-10/img_1.jpg"]


async def test_a_strangers_file_is_never_overwritten(world: World) -> None:
    """A file that somebody else put into the library keeps its name and its bytes."""
    stranger = write(world.path("2023/2023-10/IMG_1.JPG"), b"not ours")
    file_id = await world.add("IMG_1.JPG", b"ours")
    await place(world, file_id)
    assert stranger.read_bytes() == b"not ours"
    assert world.path("2023/2023-10/IMG_1 (2).JPG").read_bytes() == b"ours"


async def test_a_name_taken_between_plan_and_link_is_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes the name after it was planned keeps it; the file gets the next one."""
    file_id = await world.add("IMG_1.JPG", b"ours")
    units = await planning.plan(world.db, world.home, TEMPLATE, [file_id])
    stranger = write(world.path("2023/2023-10/IMG_1.JPG"), b"not ours")
    [placed] = await placing.commit(world.db, world.clock, world.home, units)
    assert isinstance(placed, placing.Placed)
    assert placed.path == "2023/2023-10/IMG_1 (2).JPG"
    assert stranger.read_bytes() == b"not ours"
    assert (await world.row(file_id))["path"] == placed.path


async def test_the_plan_is_what_happens(world: World) -> None:
    """A dry run names exactly the paths that are then written, and writes nothing itself."""
    ids = [await world.add(f"{n}/IMG_1.JPG", b"%d" % n) for n in range(5)]
    write(world.path("2023/2023-10/IMG_1 (2).JPG"), b"not ours")
    units = await planning.plan(world.db, world.home, TEMPLATE, ids)
    planned = sorted(path for unit in units for path in unit.paths())
    assert listing(world.home.library) == ["2023/2023-10/IMG_1 (2).JPG"]
    results = await placing.commit(world.db, world.clock, world.home, units)
    assert sorted(one.path for one in results if isinstance(one, placing.Placed)) == planned


async def test_a_thousand_files_of_one_name(world: World) -> None:
    """T17: 1,000 different files, one target name: 1,000 distinct names, none overwritten."""
    contents = {f"photo {n}".encode() for n in range(1000)}
    ids = [await world.add(f"{n}/IMG.jpg", data) for n, data in enumerate(sorted(contents))]
    assert set((await place(world, *ids)).values()) == {None}
    kept = {path.read_bytes() for path in world.path("2023/2023-10").iterdir()}
    assert kept == contents
    assert len({row["path_key"] for row in (await world.rows()).values()}) == 1000


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.long)])
async def test_two_processes_and_one_library(tmp_path: Path, count: int) -> None:
    """T18: two who know nothing of each other place the same names: nothing is overwritten."""
    shared = tmp_path / "shared"
    homes = [make_home(tmp_path / name) for name in ("one", "two")]
    programs = []
    for home in homes:
        home.library.rmdir()
        shared.mkdir(exist_ok=True)
        home.library.symlink_to(shared)
        async with open_world(home) as world:
            for index in range(count):
                await world.add(f"{index}/IMG_{index % 9}.jpg", f"{home} {index}".encode())
        code = f"from tests.library.crashing import place_only; place_only({str(home.path)!r})"
        programs.append(await asyncio.create_subprocess_exec(sys.executable, "-c", code))
    assert [await program.wait() for program in programs] == [0, 0]
    kept = {path.read_bytes() for path in shared.rglob("*.jpg")}
    assert kept == {f"{home} {index}".encode() for home in homes for index in range(count)}


async def test_a_file_that_changes_is_not_taken(world: World) -> None:
    """T19: bytes other than those studied are refused, whatever size and time say."""
    file_id = await world.add("IMG_1.JPG", b"before")
    before = (world.inbox.path / "IMG_1.JPG").stat()
    write(world.inbox.path / "IMG_1.JPG", b"after.")
    os.utime(world.inbox.path / "IMG_1.JPG", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert isinstance((await place(world, file_id))[file_id], ChangedWhileRead)
    assert listing(world.home.library) == []
    assert (world.inbox.path / "IMG_1.JPG").read_bytes() == b"after."


async def test_two_runs_at_once_place_each_file_once(world: World) -> None:
    """Whoever comes second finds the file taken and leaves it alone."""
    ids = await add_many(world, 20)
    await asyncio.gather(place(world, *ids), place(world, *ids))
    assert len(listing(world.home.library)) == 20
    assert {row["state"] for row in (await world.rows()).values()} == {"done"}


async def test_placing_never_blocks_the_loop(world: World) -> None:
    """No system call of placing runs in the event loop's thread."""
    from blockbuster import blockbuster_ctx

    ids = await add_many(world, 40)
    with blockbuster_ctx(scanned_modules=["pipeline.library"]):
        assert set((await place(world, *ids)).values()) == {None}


async def test_a_full_library_waits_and_goes_on(small_disk: Path, tmp_path: Path) -> None:
    """T09: on a full disk no partial file gets a name, sources stay, and room is all it takes."""
    home = make_home(tmp_path / "home")
    home.library.rmdir()
    home.library.symlink_to(small_disk)
    async with open_world(home) as world:
        await recover.settle(world.db, world.clock, home)
        ids = await add_many(world, 24, size=200_000)
        given = {
            p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in home.inbox.glob("*.jpg")
        }
        results = await place(world, *ids)
        failed = [id for id, error in results.items() if error]
        assert 0 < len(failed) < 24
        assert all(isinstance(results[id], StorageFull) for id in failed)
        assert violations(home, given, sources=[home.inbox], settled=True) == []
        (small_disk / ".darkroom-ballast").unlink()
        assert set((await place(world, *failed)).values()) == {None}
        assert violations(home, given, sources=[home.inbox], settled=True) == []
        assert listing(home.inbox) == []
