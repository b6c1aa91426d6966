"""A person says what belongs together: joined, split, undone, and it stands."""

from __future__ import annotations

import pytest

from pipeline.errors import Conflict, Invalid, NotFound
from pipeline.intake import joining
from pipeline.model import BundleRole
from pipeline.service import bundles, bundling, jobs, trash
from pipeline.service.requests import Move
from tests.service.family import LIVE, Family


async def _roles(family: Family, bundle_id: str) -> dict[str, BundleRole | None]:
    found = await bundles.members(family.actor, family.core, bundle_id)
    return {(row.path or "").rpartition("/")[2]: row.bundle_role for row in found}


async def _places(family: Family) -> dict[str, tuple[object, object]]:
    rows = await family.world.query("SELECT id, bundle_id, bundle_role FROM media_files")
    return {row["id"]: (row["bundle_id"], row["bundle_role"]) for row in rows}


async def test_what_is_joined_goes_as_one_and_can_be_undone(family: Family) -> None:
    """Two photos and a Live Photo become one bundle; trashing one trashes all; undo restores it."""
    before = await _places(family)
    one, two, _ = (family.ids[path] for path in family.photos)
    done = await bundling.join(family.actor, family.core, [one, two, family.ids[LIVE]])
    assert await _roles(family, done.bundle_id) == {
        "IMG_0.jpg": "primary",
        "IMG_1.jpg": "edit",
        "IMG_9.HEIC": "edit",
        "IMG_9.MOV": "live_video",
        "IMG_9.xmp": "sidecar",
    }
    assert len(await trash.put(family.actor, family.core, [two])) == 5
    await trash.restore(family.actor, family.core, [one])
    moved = await family.run(Move("Together"), one)
    assert sorted(str(item.after) for item in moved.items) == [
        f"Together/IMG_{name}" for name in ("0.jpg", "1.jpg", "9.HEIC", "9.MOV", "9.xmp")
    ]
    undone = await jobs.undo(family.actor, family.core, done.job_id)
    assert (undone.reversed, undone.left) == (5, ())
    assert await _places(family) == before


async def test_the_first_files_bundle_goes_on(family: Family) -> None:
    """What joins a Live Photo joins its bundle, and its own still leads."""
    one = family.ids[family.photos[0]]
    had = (await _places(family))[family.ids[LIVE]][0]
    done = await bundling.join(family.actor, family.core, [family.ids[LIVE], one])
    assert done.bundle_id == had
    roles = await _roles(family, done.bundle_id)
    assert (roles["IMG_9.HEIC"], roles["IMG_0.jpg"]) == ("primary", "edit")


async def test_what_is_split_stays_apart(family: Family) -> None:
    """The film of a Live Photo stands for itself, whatever the names say to the next visit."""
    still = family.ids[LIVE]
    film = family.ids[LIVE.replace("HEIC", "MOV")]
    had = str((await _places(family))[still][0])
    done = await bundling.split(family.actor, family.core, had, [film])
    assert await _roles(family, done.bundle_id) == {"IMG_9.MOV": "primary"}
    assert set(await _roles(family, had)) == {"IMG_9.HEIC", "IMG_9.xmp"}
    await family.core.db.write(joining.confirm, [still, film], "2026-01-01T00:00:00.000Z")
    assert (await _places(family))[film][0] == done.bundle_id
    assert len(await trash.put(family.actor, family.core, [film])) == 1
    undone = await jobs.undo(family.actor, family.core, done.job_id)
    assert not undone.left
    assert (await _places(family))[film] == (had, "live_video")


async def test_a_leader_that_goes_leaves_another(family: Family) -> None:
    """When the still is split off, the film leads what is left."""
    still = family.ids[LIVE]
    had = str((await _places(family))[still][0])
    await bundling.split(family.actor, family.core, had, [still])
    assert await _roles(family, had) == {"IMG_9.MOV": "primary", "IMG_9.xmp": "sidecar"}


async def test_nothing_is_done_by_halves(family: Family) -> None:
    """What makes no sense is refused before anything is written."""
    one, other, _ = (family.ids[path] for path in family.photos)
    side = family.ids[LIVE.replace("HEIC", "xmp")]
    had = str((await _places(family))[side][0])
    actor, core = family.actor, family.core
    before = await family.tables()
    with pytest.raises(Invalid):
        await bundling.join(actor, core, [one])
    with pytest.raises(Invalid):
        await bundling.join(actor, core, [side, family.ids[LIVE]])
    with pytest.raises(NotFound):
        await bundling.join(actor, core, [one, "nobody"])
    with pytest.raises(Invalid):  # a sidecar alone
        await bundling.split(actor, core, had, [side])
    with pytest.raises(NotFound):
        await bundling.split(actor, core, had, [one])
    assert await family.tables() == before
    await trash.put(actor, core, [other])
    with pytest.raises(Conflict):
        await bundling.join(actor, core, [one, other])
