"""T11, T12, T14: disks that fail, vanish or are not ours to write to."""

from __future__ import annotations

import errno
import hashlib
import itertools
import shutil
from pathlib import Path

import pytest

from pipeline.errors import DarkroomError, StorageOffline
from pipeline.library import moving, placing, recover, trash
from pipeline.library.trash import Asking
from pipeline.model import BundleRole, RootKind, Take
from tests.kit.invariants import violations
from tests.kit.shim import TROUBLES, Call, Shim
from tests.library.world import TEMPLATE, World, listing

_MORE_CALLS_THAN_ANY = 400


async def _add_three(world: World, label: str) -> tuple[list[str], dict[str, str]]:
    """A Live Photo and a lone photo, with what they hold."""
    files = {name: f"{label} {name}".encode() for name in ("A.HEIC", "A.MOV", "B.JPG")}
    ids = await world.bundle(
        (f"{label}/A.HEIC", files["A.HEIC"], BundleRole.PRIMARY),
        (f"{label}/A.MOV", files["A.MOV"], BundleRole.LIVE_VIDEO),
    )
    ids.append(await world.add(f"{label}/B.JPG", files["B.JPG"]))
    return ids, {f"{label}/{n}": hashlib.sha256(data).hexdigest() for n, data in files.items()}


async def _trouble(world: World, number: int, code: int) -> bool:
    """Fail the call `number` while three files are placed; False when there are not so many."""
    ids, given = await _add_three(world, f"{number}-{code}")
    sources = [world.home.inbox]
    with Shim(fail={number: code}) as shim:
        results = await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    assert all(error is None or isinstance(error, DarkroomError) for error in results.values())
    assert violations(world.home, given, sources=sources, settled=False) == []
    await _nothing_released_unplaced(world, shim)
    await recover.settle(world.db, world.clock, world.home)
    assert violations(world.home, given, sources=sources, settled=True) == []
    await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    await recover.settle(world.db, world.clock, world.home)
    assert {(await world.row(id))["state"] for id in ids} == {"done"}
    assert violations(world.home, given, sources=sources, settled=True) == []
    await _clear(world)
    return shim.counted >= number


async def _clear(world: World) -> None:
    """An empty Darkroom again, so that the next round is as quick as the first."""
    for table in ("events", "media_files", "bundles"):
        await world.execute(f"DELETE FROM {table}")
    for folder in (*world.home.library.glob("2*"), *world.home.inbox.glob("[0-9]*")):
        shutil.rmtree(folder)


async def _nothing_released_unplaced(world: World, shim: Shim) -> None:
    released = {call.paths[0] for call in shim.named("unlink") if "/inbox/" in call.paths[0]}
    for row in (await world.rows()).values():
        if row["state"] in ("found", "studied", "placing"):
            assert str(world.inbox.path / row["source_path"].decode()) not in released


async def test_any_call_may_fail(world: World) -> None:
    """T11: at every single call a disk may fail: no foreign error, nothing released too early."""
    troubles = itertools.cycle(TROUBLES)
    for number in range(1, _MORE_CALLS_THAN_ANY):
        if not await _trouble(world, number, next(troubles)):
            break
    assert 50 < number < _MORE_CALLS_THAN_ANY - 1, "the shim saw too few or too many calls"


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("code", TROUBLES, ids=errno.errorcode.get)
async def test_any_call_may_fail_in_any_way(world: World, code: int) -> None:
    """T11 in full: every trouble at every call."""
    for number in range(1, _MORE_CALLS_THAN_ANY):
        if not await _trouble(world, number, code):
            break


async def test_a_failing_disk_stays_failing(world: World) -> None:
    """T11: when everything below the library fails, files wait as they were; later it goes on."""

    def broken(call: Call) -> int | None:
        return errno.EIO if any("/library/" in path for path in call.paths) else None

    ids, given = await _add_three(world, "x")
    with Shim(fail_if=broken):
        results = await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    assert all(isinstance(error, StorageOffline) for error in results.values())
    assert violations(world.home, given, sources=[world.home.inbox], settled=True) == []
    results = await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    assert set(results.values()) == {None}


async def test_nothing_is_written_into_a_bare_mount_point(world: World) -> None:
    """T12: with the library's disk away its empty folder stays empty, and files wait."""
    ids, given = await _add_three(world, "x")
    away = world.home.library.rename(world.home.path / "away")
    world.home.library.mkdir()
    results = await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    assert all(isinstance(error, StorageOffline) for error in results.values())
    recovered = await recover.settle(world.db, world.clock, world.home)
    assert recovered.offline is not None
    assert list(world.home.library.iterdir()) == []
    world.home.library.rmdir()
    away.rename(world.home.library)
    assert (await recover.settle(world.db, world.clock, world.home)).offline is None
    results = await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    assert set(results.values()) == {None}
    assert violations(world.home, given, sources=[world.home.inbox], settled=True) == []


async def test_the_wrong_disk_is_not_recovered_on(world: World) -> None:
    """T12: a disk with another marker is offline: rows stay as they are, it is not touched."""
    ids, _ = await _add_three(world, "x")
    await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
    marker = world.home.library / ".darkroom-root"
    text = marker.read_text()
    marker.write_text("0" * 32 + "\n")
    await world.execute("UPDATE media_files SET state = 'placing'")
    recovered = await recover.settle(world.db, world.clock, world.home)
    assert recovered.offline is not None
    assert {row["state"] for row in (await world.rows()).values()} == {"placing"}
    marker.write_text(text)
    assert (await recover.settle(world.db, world.clock, world.home)).placed == 3


@pytest.mark.parametrize("take", [Take.COPY, Take.INDEX])
async def test_a_foreign_root_is_only_read(world: World, tmp_path: Path, take: Take) -> None:
    """T14: placing, moving, trashing, restoring, purging: no write call below a foreign root."""
    root = await world.root(tmp_path / "theirs", RootKind.FOREIGN, take)
    ids = [await world.add(f"{n}/IMG_1.JPG", b"%d" % n, root=root) for n in range(4)]
    asking = Asking(world.owner, "cli:ann")
    before = sorted(str(path) for path in root.path.rglob("*"))
    with Shim() as shim:
        await placing.place(world.db, world.clock, world.home, TEMPLATE, ids)
        await recover.settle(world.db, world.clock, world.home)
        for act in (_retemplate, _trash, _restore, _trash, _purge):
            try:
                await act(world, ids, asking)
            except DarkroomError:
                assert take is Take.INDEX  # what has no name in the library is refused
    assert shim.counted > 0 if take is Take.COPY else True
    assert shim.writes_below(root.path) == []
    assert sorted(str(path) for path in root.path.rglob("*")) == before
    if take is Take.COPY:
        assert listing(world.home.library) == listing(world.home.trash) == []


async def _retemplate(world: World, ids: list[str], asking: Asking) -> None:
    await moving.move_to(
        world.db, world.clock, world.home, {id: f"new/{id}.jpg" for id in ids}, asking
    )


async def _trash(world: World, ids: list[str], asking: Asking) -> None:
    await trash.put(world.db, world.clock, world.home, ids, asking)


async def _restore(world: World, ids: list[str], asking: Asking) -> None:
    await trash.restore(world.db, world.clock, world.home, ids, asking)


async def _purge(world: World, _ids: list[str], asking: Asking) -> None:
    plan = await trash.plan_purge(world.db, world.clock, asking.owner_id, everything=True)
    await trash.purge(world.db, world.clock, world.home, plan, actor=asking.actor)
