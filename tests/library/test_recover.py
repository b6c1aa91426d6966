"""Start-up: what a crash left half-done is finished or taken back, and doing it twice is fine."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pipeline.library import placing, quarantine, recover, rescan, trash, verify
from pipeline.library.recover import Recovered
from pipeline.library.trash import Asking
from pipeline.model import RootKind, Take
from tests.kit.invariants import violations
from tests.kit.kill import Killer
from tests.library.crashing import prepare_shelf
from tests.library.world import TEMPLATE, World, add_many, listing, make_home, open_world, write

KEPT = "2023/2023-10/IMG_1.JPG"


async def settle(world: World) -> Recovered:
    """What a start does."""
    return await recover.settle(world.db, world.clock, world.home)


async def shelve(world: World, *ids: str) -> None:
    """Place files."""
    results = await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    assert set(results.values()) == {None}


async def _placing(world: World, kept: bytes | None) -> str:
    """A row `placing`, with `kept` under its name in the library."""
    file_id = await world.add("IMG_1.JPG", b"photo")
    await world.execute(
        "UPDATE media_files SET state = 'placing', path = ?, path_key = ?", KEPT, KEPT.lower()
    )
    if kept is not None:
        write(world.path(KEPT), kept)
    write(world.home.staging / "left", b"half")
    return file_id


@pytest.mark.parametrize("kept", [b"photo", b"other", b"", None])
async def test_placing_is_finished_or_taken_back(world: World, kept: bytes | None) -> None:
    """A matching file counts as placed and its source goes; anything else is taken back."""
    file_id = await _placing(world, kept)
    await settle(world)
    row = await world.row(file_id)
    if kept == b"photo":
        assert row["state"] == "done"
        assert listing(world.home.inbox) == []
        assert await world.events("file.placed") == [file_id]
    else:
        assert (row["state"], row["path"]) == ("studied", None)
        assert (world.inbox.path / "IMG_1.JPG").read_bytes() == b"photo"
        assert listing(world.home.library) == ([KEPT] if kept else [])
    assert list(world.home.staging.iterdir()) == []
    assert await settle(world) == Recovered()


@pytest.mark.parametrize("copy", [b"photo", b"flipped", None])
async def test_placed_is_released_against_a_fresh_proof(world: World, copy: bytes | None) -> None:
    """A source goes only if the copy still is what it was; else the file is placed anew."""
    file_id = await _placing(world, copy)
    await world.execute("UPDATE media_files SET state = 'placed'")
    await settle(world)
    if copy == b"photo":
        assert (await world.row(file_id))["state"] == "done"
        assert listing(world.home.inbox) == []
        return
    assert (world.inbox.path / "IMG_1.JPG").read_bytes() == b"photo"
    await shelve(world, file_id)
    kept = world.path((await world.row(file_id))["path"])
    assert kept.read_bytes() == b"photo"
    assert copy is None or world.path(KEPT).read_bytes() == copy


async def test_a_source_whose_disk_is_away_is_released_later(world: World, tmp_path: Path) -> None:
    """T12: a card pulled out between commit and release changes nothing; later it is released."""
    root = await world.root(tmp_path / "card", RootKind.MANAGED, Take.MOVE)
    file_id = await world.add("IMG_1.JPG", b"photo", root=root)
    await shelve(world, file_id)
    write(root.path / "IMG_1.JPG", b"photo")
    await world.execute("UPDATE media_files SET state = 'placed'")
    away = root.path.rename(tmp_path / "away")
    await settle(world)
    assert (await world.row(file_id))["state"] == "placed"
    away.rename(root.path)
    await settle(world)
    assert (await world.row(file_id))["state"] == "done"
    assert not (root.path / "IMG_1.JPG").exists()


def _crash_shelf(base: Path, files: int, kills: int) -> None:
    given = prepare_shelf(base, files)
    home = make_home(base)
    dice = random.Random(5)
    with (
        Killer("tests.library.crashing:shuffle") as shuffler,
        Killer("tests.library.crashing:settle") as settler,
    ):
        cuts = 0
        for _ in range(kills):
            cuts += shuffler.run(base, kill_at=dice.randint(1, files * 15))
            assert violations(home, given, sources=[], settled=False) == []
            settler.run(base)
            assert violations(home, given, sources=[], settled=True) == []
    assert cuts >= kills // 2


def test_kills_during_trash_restore_and_moves(tmp_path: Path) -> None:
    """T05: killed anywhere in a shuffle of the shelf, each file is in exactly one place, whole."""
    _crash_shelf(tmp_path, files=30, kills=12)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_hundred_kills_during_trash_restore_and_moves(tmp_path: Path) -> None:
    """T05 in full: 100 kills."""
    _crash_shelf(tmp_path, files=300, kills=100)


# --- quarantine --------------------------------------------------------------------------------


async def test_rejected_files_are_put_aside_with_a_note(world: World, tmp_path: Path) -> None:
    """A moved file leaves the inbox whole, with its reason beside it; a copied one is untouched."""
    card = await world.root(tmp_path / "card", RootKind.FOREIGN, Take.COPY)
    ours = await world.add("strange\n.jpg", b"no photo")
    theirs = await world.add("b.jpg", b"no photo either", root=card)
    await world.execute("UPDATE media_files SET state = 'rejected', reason = 'It is no photo.'")
    for _ in range(2):
        errors = await quarantine.put(world.db, world.clock, world.home, [ours, theirs])
        assert errors == {ours: None}
    assert listing(world.home.inbox) == []
    assert (card.path / "b.jpg").exists()
    kept, note = listing(world.home.quarantine)
    assert (world.home.quarantine / kept).read_bytes() == b"no photo"
    assert (world.home.quarantine / note).read_text().startswith("It is no photo.")
    assert ours in kept


async def test_only_rejected_files_are_put_aside(world: World) -> None:
    """Whoever calls with other files changes nothing."""
    file_id = await world.add("a.jpg", b"photo")
    assert await quarantine.put(world.db, world.clock, world.home, [file_id]) == {}
    assert listing(world.home.inbox) == ["a.jpg"]


# --- rescan and verify -------------------------------------------------------------------------


async def test_a_lost_state_is_rebuilt_without_touching_a_file(tmp_path: Path) -> None:
    """T26: with the state gone every file of the library is known again, none was changed."""
    home = make_home(tmp_path)
    async with open_world(home) as world:
        await settle(world)
        await shelve(world, *await add_many(world, 12))
    before = {p: (home.library / p).stat().st_ctime_ns for p in listing(home.library)}
    for path in home.state.glob("darkroom.sqlite*"):
        path.unlink()
    async with open_world(home) as world:
        await settle(world)
        found = await rescan.rescan(world.db, world.clock, home, world.owner)
        assert (found.admitted, found.found_again) == (12, 0)
        again = await rescan.rescan(world.db, world.clock, home, world.owner)
        assert (again.admitted, again.found_again) == (0, 0)
        rows = await world.rows()
        assert {row["path"] for row in rows.values()} == before.keys()
        assert {row["take"] for row in rows.values()} == {"index"}
        assert len(await world.query("SELECT 1 FROM tasks WHERE kind = 'visit'")) == 12
    assert {p: (home.library / p).stat().st_ctime_ns for p in listing(home.library)} == before


async def test_an_older_state_finds_its_files_again(world: World) -> None:
    """A snapshot from before a file was placed or moved: by content the row follows the file."""
    waiting = await world.add("IMG_1.JPG", b"photo")
    moved = await world.add("IMG_2.JPG", b"another")
    await shelve(world, moved)
    (world.inbox.path / "IMG_1.JPG").rename(world.path("2023/2023-10/IMG_1.JPG"))
    old = world.path("2023/2023-10/IMG_2.JPG")
    old.rename(world.path("2023/elsewhere.JPG"))
    found = await rescan.rescan(world.db, world.clock, world.home, world.owner)
    assert (found.admitted, found.found_again) == (0, 2)
    rows = await world.rows()
    assert (rows[waiting]["state"], rows[waiting]["path"]) == ("done", "2023/2023-10/IMG_1.JPG")
    assert (rows[moved]["state"], rows[moved]["path"]) == ("done", "2023/elsewhere.JPG")


async def _scrub_trials(world: World, files: int, trials: int) -> None:
    ids = await add_many(world, files, size=3000)
    await shelve(world, *ids)
    dice = random.Random(7)
    for _ in range(trials):
        row = (await world.rows())[dice.choice(ids)]
        path = world.path(row["path"])
        sound = path.read_bytes()
        broken = bytearray(sound)
        broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
        path.write_bytes(broken)
        told = len(await world.events("file.altered"))
        for _ in range(2):
            found = await verify.scrub(world.db, world.clock, world.home)
            assert (found.altered, found.checked) == ([row["path"]], files)
        assert len(await world.events("file.altered")) == told + 1
        assert path.read_bytes() == bytes(broken)
        path.write_bytes(sound)
        ids.remove(row["id"])


async def test_one_flipped_bit_is_found_and_told_once(world: World) -> None:
    """T30: found every time, told once, and the file is not touched."""
    await _scrub_trials(world, files=40, trials=5)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_flipped_bit_in_a_thousand_files(world: World) -> None:
    """T30 in full: 1,000 files, 100 trials."""
    await _scrub_trials(world, files=1000, trials=100)


async def test_many_missing_files_make_scrubbing_ask(world: World) -> None:
    """T13: six of a hundred files vanish: nothing is marked until a person confirms."""
    await shelve(world, *await add_many(world, 100))
    gone = listing(world.home.library)[:6]
    for path in gone:
        world.path(path).unlink()
    found = await verify.scrub(world.db, world.clock, world.home)
    assert found.asking is not None
    assert found.checked == 0
    assert {row["state"] for row in (await world.rows()).values()} == {"done"}
    for path in gone[:4]:
        write(world.path(path), b"back")  # other bytes, but not missing
    found = await verify.scrub(world.db, world.clock, world.home)
    assert found.asking is not None or len(found.altered) == 4


async def test_scrubbing_in_parts_sees_everything(world: World) -> None:
    """A share goes on where the last one ended; after enough runs every file was read."""
    await shelve(world, *await add_many(world, 20))
    progress: list[tuple[int, int]] = []
    path = listing(world.home.library)[13]
    world.path(path).write_bytes(b"flipped")
    altered: list[str] = []
    for _ in range(4):
        found = await verify.scrub(
            world.db,
            world.clock,
            world.home,
            share=0.25,
            progress=lambda done, of: progress.append((done, of)),
        )
        assert found.checked == 5
        altered += found.altered
    assert altered == [path]
    assert progress[-1] == (5, 5)


async def test_trash_is_not_missing(world: World) -> None:
    """What a person trashed is neither missing nor scrubbed."""
    ids = await add_many(world, 3)
    await shelve(world, *ids)
    asking = Asking(world.owner, "cli:ann")
    await trash.put(world.db, world.clock, world.home, ids[:1], asking)
    found = await verify.scrub(world.db, world.clock, world.home)
    assert (found.checked, found.altered, found.asking) == (2, [], None)
