"""What goes along when copies are made for others: everything that fits, the rest by name."""

from __future__ import annotations

import pytest

from pipeline.model import BundleRole
from pipeline.service import bundles, files
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
