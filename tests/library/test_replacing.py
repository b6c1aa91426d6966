"""A copy in the place of its original: the file stays itself, and the original stays reachable."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from pipeline.errors import Conflict, StorageOffline
from pipeline.library import journal, replacing, trash
from pipeline.library.trash import Asking
from pipeline.model import BundleRole, Home
from pipeline.state import studies
from tests.kit.invariants import violations
from tests.kit.kill import Killer
from tests.library.crashing import prepare_shelf
from tests.library.replacements import a_copy, replace_all
from tests.library.test_trash import shelve
from tests.library.world import World, listing

PHOTO = b"a photo of many bytes"


async def one_photo(world: World, **more: str) -> str:
    """A photo in the library; its id."""
    file_id = await world.add("IMG_1.jpg", PHOTO, **more)
    await shelve(world, file_id)
    return file_id


async def replaced(world: World, file_id: str, data: bytes, extension: str, job: str) -> str:
    """Put a copy with this content in the file's place; its path."""
    wanted = await a_copy(world, file_id, data, extension)
    asking = Asking(world.owner, "cli:ann", job=job, reason="smaller")
    return await replacing.replace_file(world.db, world.clock, world.home, wanted, asking, days=30)


@pytest.mark.parametrize("extension", [".avif", ".jpg"])
async def test_the_file_stays_itself(world: World, extension: str) -> None:
    """Id, date and name are kept, the bytes are the copy's, the original waits in the trash."""
    file_id = await one_photo(world)
    before = await world.row(file_id)
    job = await world.job()
    path = await replaced(world, file_id, b"small", extension, job)
    assert path == f"2023/2023-10/IMG_1{extension}"
    assert world.path(path).read_bytes() == b"small"
    after = await world.row(file_id)
    assert after["sha256"] == hashlib.sha256(b"small").hexdigest()
    assert after["size"] == len(b"small")
    assert (after["taken_at"], after["state"]) == (before["taken_at"], "done")
    [original] = await trash.listing(world.db, world.owner)
    assert original.sha256 == before["sha256"]
    assert (world.home.trash / original.trash_path).read_bytes() == PHOTO
    assert await world.events("file.replaced") == [file_id]


@pytest.mark.parametrize("extension", [".avif", ".jpg"])
async def test_undo_brings_the_original_back(world: World, extension: str) -> None:
    """Undoing the job: the file is its original again, under its name; the copy is in the trash."""
    file_id = await one_photo(world)
    job = await world.job()
    await replaced(world, file_id, b"small", extension, job)
    undone = await journal.undo(
        world.db, world.clock, world.home, job, world.owner, actor="cli:ann"
    )
    assert (undone.reversed, undone.left) == (1, ())
    assert listing(world.home.library) == ["2023/2023-10/IMG_1.jpg"]
    assert world.path("2023/2023-10/IMG_1.jpg").read_bytes() == PHOTO
    row = await world.row(file_id)
    assert (row["sha256"], row["state"]) == (hashlib.sha256(PHOTO).hexdigest(), "done")
    [copy] = await trash.listing(world.db, world.owner)
    assert (world.home.trash / copy.trash_path).read_bytes() == b"small"


async def test_an_original_that_is_purged_cannot_come_back(world: World) -> None:
    """Undo says so and leaves the copy where it is."""
    file_id = await one_photo(world)
    job = await world.job()
    await replaced(world, file_id, b"small", ".avif", job)
    plan = await trash.plan_purge(world.db, world.clock, world.owner, everything=True)
    await trash.purge(world.db, world.clock, world.home, plan, actor="cli:ann")
    undone = await journal.undo(
        world.db, world.clock, world.home, job, world.owner, actor="cli:ann"
    )
    [left] = undone.left
    assert "not there any more" in left.error.message
    assert listing(world.home.library) == ["2023/2023-10/IMG_1.avif"]


async def test_the_original_coming_in_again_is_the_same_photo(world: World) -> None:
    """A phone that sends it once more does not make a second photo of it."""
    file_id = await one_photo(world)
    await replaced(world, file_id, b"small", ".avif", await world.job())
    sha256 = hashlib.sha256(PHOTO).hexdigest()
    twin = await world.db.read(lambda con: studies.alive_twin(con, world.owner, sha256, but="x"))
    assert twin == file_id


async def test_the_rest_of_a_bundle_stays(world: World) -> None:
    """Only the photo of a Live Photo is replaced; its video stays beside it, bundled with it."""
    photo, video = await world.bundle(
        ("IMG_1.HEIC", b"photo", BundleRole.PRIMARY), ("IMG_1.MOV", b"video", BundleRole.LIVE_VIDEO)
    )
    await shelve(world, photo, video)
    await replaced(world, photo, b"small", ".avif", await world.job())
    assert listing(world.home.library) == ["2023/2023-10/IMG_1.MOV", "2023/2023-10/IMG_1.avif"]
    assert (await world.row(photo))["bundle_id"] == (await world.row(video))["bundle_id"]
    assert [len(listing(world.home.trash))] == [1]


async def test_what_cannot_be_finished_now_is_finished_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start with the disk away goes on, and the next one with it there brings all to its end."""
    file_id = await one_photo(world)

    async def away(*_: object, **__: object) -> None:
        raise StorageOffline("Its disk is away.")

    with monkeypatch.context() as absent:
        absent.setattr(trash, "put", away)
        with pytest.raises(StorageOffline):
            await replaced(world, file_id, b"small", ".jpg", await world.job())
        resumed = await replacing.resume(world.db, world.clock, world.home, days=30)
        assert (resumed, len(listing(world.home.library))) == (0, 2)
    assert await replacing.resume(world.db, world.clock, world.home, days=30) == 1
    assert listing(world.home.library) == ["2023/2023-10/IMG_1.jpg"]
    assert await replacing.resume(world.db, world.clock, world.home, days=30) == 0


async def test_bytes_that_are_another_file_are_refused(world: World) -> None:
    """A copy with the bytes of another photo would merge the two; nothing is done."""
    file_id = await one_photo(world)
    await shelve(world, await world.add("other.jpg", b"small"))
    with pytest.raises(Conflict):
        await replaced(world, file_id, b"small", ".avif", await world.job())
    assert world.path("2023/2023-10/IMG_1.jpg").read_bytes() == PHOTO


async def test_doing_it_again_changes_nothing(world: World) -> None:
    """A task that is repeated after its end finds nothing left to do."""
    file_id = await one_photo(world)
    await replace_all(world, ".jpg")
    before = {path: world.path(path).read_bytes() for path in listing(world.home.library)}
    await replace_all(world, ".jpg")
    assert {p: world.path(p).read_bytes() for p in listing(world.home.library)} == before
    assert (await world.row(file_id))["state"] == "done"


# --- kills -------------------------------------------------------------------------------------


def _whole(home: Home, given: dict[str, str]) -> list[str]:
    """Originals that lie neither in the library nor in the trash, whole."""
    digests = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for base in (home.library, home.trash)
        for path in base.rglob("*")
        if path.is_file() and ".staging" not in path.parts
    }
    return sorted(name for name, sha256 in given.items() if sha256 not in digests)


def _kills(base: Path, files: int, kills: int, seed: int) -> int:
    given = prepare_shelf(base, files)
    home, dice, cuts = Home.at(base), random.Random(seed), 0
    with (
        Killer("tests.library.replacements:replace_in") as killer,
        Killer("tests.library.replacements:settle") as settler,
    ):
        for _ in range(kills):
            cuts += killer.run(base, kill_at=dice.randint(1, 60))
            assert _whole(home, given) == []
            settler.run(base)
            assert _whole(home, given) == []
        assert not killer.run(base)
    assert _whole(home, given) == []
    assert violations(home, {}, sources=[home.inbox], settled=True) == []
    copies = [p for p in listing(home.library) if (home.library / p).read_bytes()[:5] == b"small"]
    assert len(copies) == len(listing(home.library)) == files
    assert len(listing(home.trash)) == files
    return cuts


def test_kills_lose_neither_original_nor_copy(tmp_path: Path) -> None:
    """Killed at any step of replacing: every original is whole somewhere, and a restart ends it."""
    assert _kills(tmp_path, files=12, kills=25, seed=3) >= 12


def test_the_harness_catches_a_wrong_order(tmp_path: Path) -> None:
    """A seeded fault (the original removed before its copy is there) is seen at once."""
    given = prepare_shelf(tmp_path, 4)
    with Killer("tests.library.replacements:replace_wrongly") as killer:
        for kill_at in range(4, 14):
            killer.run(tmp_path, kill_at=kill_at)
    assert _whole(Home.at(tmp_path), given) != []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_many_kills_lose_neither_original_nor_copy(tmp_path: Path) -> None:
    """The same, 200 times."""
    assert _kills(tmp_path, files=60, kills=200, seed=4) >= 100
