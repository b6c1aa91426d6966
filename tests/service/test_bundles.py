"""What goes along when copies are made for others: everything that fits, the rest by name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.core import Core
from pipeline.model import Actor, BundleRole
from pipeline.service import bundles, files, renditions, starting
from pipeline.service.renditions import Order
from pipeline.state.files import FileRow
from tests.service.family import Family

MEMBERS = (
    ("IMG_9.jpg", b"picture", BundleRole.PRIMARY),
    ("IMG_9.dng", b"sensor", BundleRole.RAW),
    ("IMG_9-edited.jpg", b"edit", BundleRole.EDIT),
    ("IMG_9.jpg.xmp", b"words", BundleRole.SIDECAR),
    ("IMG_9.jpg.json", b"{}", BundleRole.SIDECAR),
)


@pytest.mark.parametrize(
    ("stage", "joined", "behind"),
    [
        ("scrub", {"dng", "jpg", "xmp"}, {"json"}),
        ("blur", {"jpg"}, {"dng", "xmp", "json"}),
    ],
)
async def test_what_fits_goes_along(
    family: Family, stage: str, joined: set[str], behind: set[str]
) -> None:
    """Naming the picture names its bundle; a RAW file is not blurred beside its picture."""
    added = await family.world.bundle(*MEMBERS)
    await family.place(added)
    row = await files.one(family.actor, family.core, added[0])
    found = await bundles.together(family.actor, family.core, [row], stage)
    assert found.rows[0] == row
    assert {(one.path or "").rpartition(".")[2] for one in found.joined} == joined
    assert {(one.path or "").rpartition(".")[2] for one in found.behind} == behind
    assert set(found.rows) == {row, *found.joined}


async def test_what_is_named_is_not_joined(family: Family) -> None:
    """Naming every member adds nothing, and each is there once."""
    added = await family.world.bundle(*MEMBERS)
    await family.place(added)
    rows = [await files.one(family.actor, family.core, one) for one in added]
    found = await bundles.together(family.actor, family.core, rows, "scrub")
    assert found.rows == tuple(rows)
    assert (found.joined, found.behind) == ((), ())


async def test_copies_for_others_take_along_what_would_tell(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked from afar, too: the film and the sidecar of a photo are scrubbed with it."""
    added = await family.world.bundle(*MEMBERS)
    await family.place(added)
    asked: list[set[str]] = []

    async def start(
        actor: Actor, core: Core, wanted: Sequence[FileRow], order: Order
    ) -> renditions.Started:
        asked.append({(row.path or "").rpartition(".")[2] for row in wanted})
        return renditions.Started("job", ())

    monkeypatch.setattr(renditions, "start", start)
    for stage in ("scrub", "blur", "optimise"):
        await starting.making(family.actor, family.core, [added[0]], None, Order(stage, {}))
    assert asked == [{"jpg", "dng", "xmp"}, {"jpg"}, {"jpg"}]
