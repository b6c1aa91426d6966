"""Writing tags beside the files: everything can be taken back, and originals are never touched."""

from __future__ import annotations

import json

from pipeline.finding.query import ALL
from pipeline.metadata import rdf
from pipeline.model import BundleRole
from pipeline.service import finding, jobs, tags
from pipeline.service.requests import Retag
from pipeline.service.tags import Export
from pipeline.state import sidecars
from tests.service.family import LIVE, Family

FOREIGN = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35"/></rdf:RDF>
</x:xmpmeta>"""


async def export(family: Family, *, dry_run: bool = False) -> Export:
    """One run over everything."""
    return await tags.export(family.actor, family.core, ALL, dry_run=dry_run)


def library(family: Family) -> dict[str, str]:
    """The library's files, by path, with their hashes."""
    tree = family.tree()
    return {path: digest for path, digest in tree.items() if path.startswith("library/20")}


async def test_a_rehearsal_touches_nothing(family: Family) -> None:
    """It names what would be written, and neither files nor rows change."""
    await family.run(Retag(add=("beach",)), family.photos[0])
    before = (family.tree(), await family.tables())
    result = await export(family, dry_run=True)
    assert [(one.file, one.action) for one in result.items if one.action == "new"] == [
        (family.photos[0], "new")
    ]
    assert result.job_id is None
    assert (family.tree(), await family.tables()) == before


async def test_tags_are_written_once_and_taken_back(family: Family) -> None:
    """A second run changes nothing; undone, the library is as it was, photos all the while."""
    photo = family.photos[0]
    await family.run(Retag(add=("beach", "Aunt Ada")), photo)
    before = library(family)
    first = await export(family)
    sidecar = family.world.path(f"{photo}.xmp")
    assert rdf.properties(sidecar.read_bytes())["dc:subject"] == ["Aunt Ada", "beach"]
    assert {path: d for path, d in library(family).items() if path in before} == before
    after = family.tree()
    second = await export(family)
    assert (second.job_id, family.tree()) == (None, after)
    undone = await jobs.undo(family.actor, family.core, first.job_id or "")
    assert undone.left == ()
    assert library(family) == before
    assert (await family.world.row(family.ids[photo]))["state"] == "done"


async def test_a_newer_sidecar_takes_the_place_of_the_older(family: Family) -> None:
    """The older one is in the trash until undo brings it back, byte by byte, under its name."""
    photo = family.photos[0]
    await family.run(Retag(add=("beach",)), photo)
    await export(family)
    before = library(family)
    await family.run(Retag(add=("sea",), remove=("beach",)), photo)
    second = await export(family)
    assert [one.action for one in second.items if one.file == photo] == ["changed"]
    sidecar = family.world.path(f"{photo}.xmp")
    assert rdf.properties(sidecar.read_bytes())["dc:subject"] == ["sea"]
    assert library(family).keys() == before.keys()
    assert (await export(family)).job_id is None
    await jobs.undo(family.actor, family.core, second.job_id or "")
    assert library(family) == before


async def test_two_sidecars_may_say_the_same(family: Family) -> None:
    """Photos with the same tags have sidecars with the same bytes, also when those are renewed."""
    await family.run(Retag(add=("beach",)), family.photos[0], family.photos[1])
    await export(family)
    await family.run(Retag(add=("sea",)), family.photos[0], family.photos[1])
    renewed = {one.file: one.action for one in (await export(family)).items}
    assert {renewed[family.photos[0]], renewed[family.photos[1]]} == {"changed"}


async def test_what_another_program_wrote_is_kept(family: Family) -> None:
    """Settings in a sidecar of the bundle are found in ours; that file itself stays as it is."""
    added = await family.world.bundle(
        ("RAW_1.dng", b"raw", BundleRole.PRIMARY), ("RAW_1.xmp", FOREIGN, BundleRole.SIDECAR)
    )
    await family.place(added)
    rows = await family.world.rows()
    raw, foreign = (str(rows[one]["path"]) for one in added)
    await family.run(Retag(add=("desert",)), added[0])
    result = await export(family)
    assert [one.action for one in result.items if one.file == raw] == ["new"]
    merged = rdf.properties(family.world.path(f"{raw}.xmp").read_bytes())
    assert (merged["crs:Exposure2012"], merged["dc:subject"]) == ("+0.35", ["desert"])
    assert family.world.path(foreign).read_bytes() == FOREIGN


async def test_what_cannot_be_understood_is_left_alone(family: Family) -> None:
    """A broken sidecar, and a file nobody knows under the name, are told and not touched."""
    photo = family.photos[0]
    await family.run(Retag(add=("beach",)), photo, LIVE)
    stranger = family.world.path(f"{photo}.xmp")
    stranger.write_bytes(b"mine")
    before = library(family)
    result = await export(family)
    assert {one.file for one in result.items if one.action == "left"} == {photo, LIVE}
    assert all(one.reason for one in result.items if one.action == "left")
    assert library(family) == before


async def test_a_run_that_was_cut_off_is_done_again(family: Family) -> None:
    """A row without a file is given up by the next run, which writes the sidecar anew."""
    photo = family.photos[0]
    await family.run(Retag(add=("beach",)), photo)
    (of,) = await family.world.db.read(sidecars.sayable, family.world.owner, [family.ids[photo]])
    job = await family.world.job()
    made = sidecars.Written("0" * 64, 1, 1, 1)
    cut_off = await family.world.db.write(sidecars.begin, of, made, job, family.world.clock)
    assert [one.action for one in (await export(family)).items if one.file == photo] == ["new"]
    assert (await family.world.row(cut_off))["state"] == "rejected"
    assert family.world.path(f"{photo}.xmp").exists()


async def test_faces_and_people_are_written(family: Family) -> None:
    """Somebody with a name stands on the picture; somebody who said no stands nowhere."""
    photo = family.photos[0]
    file_id = family.ids[photo]
    for number, (name, consent) in enumerate((("Ada", "yes"), ("Ben", "no"))):
        await family.world.execute(
            "INSERT INTO people (id, owner_id, name, consent, created_at) VALUES (?, ?, ?, ?, '')",
            name, family.world.owner, name, consent,
        )  # fmt: skip
        await family.world.execute(
            "INSERT INTO faces (id, file_id, owner_id, x, y, w, h, score, sharpness, person_id,"
            " assigned_by) VALUES (?, ?, ?, ?, 0.2, 0.2, 0.2, 1, 1, ?, 'person')",
            name, file_id, family.world.owner, number / 2, name,
        )  # fmt: skip
    facts = json.dumps({"people": ["Ben", "Cleo"]})
    await family.world.execute(
        "UPDATE media_files SET facts = ?, rating = 5 WHERE id = ?", facts, file_id
    )
    await export(family)
    said = rdf.properties(family.world.path(f"{photo}.xmp").read_bytes())
    assert said["Iptc4xmpExt:PersonInImage"] == ["Ada", "Cleo"]
    faces = said["mwg-rs:Regions"]["mwg-rs:RegionList"]
    assert [face["mwg-rs:Name"] for face in faces] == ["Ada"]
    assert said["xmp:Rating"] == "5"
    assert b"Ben" not in family.world.path(f"{photo}.xmp").read_bytes()
    found = await finding.find(family.actor, family.core, finding.query_of(family.core, "cleo ada"))
    assert [row.id for row in found.rows] == [file_id]
