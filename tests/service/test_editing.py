"""Editing what is known of files: checked, decided file by file, and taken back exactly."""

from __future__ import annotations

import pytest

from pipeline.errors import Invalid, NotFound, Stale
from pipeline.metadata.findings import Findings
from pipeline.metadata.sidecar import read_xmp
from pipeline.model import Json
from pipeline.service import editing, finding, jobs, metadata, tags
from pipeline.service.editing import Say, Shift, Zone
from pipeline.service.requests import asked
from tests.service.family import LIVE, Family

FIELDS: dict[str, Json] = {
    "title": "At the lake",
    "description": "With Anna",
    "rating": 4,
    "taken_at": "1975-07-01T12:00:00",
    "position": [48.2082, 16.3738],
}


@pytest.fixture(autouse=True)
def one_city(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of places is built in a moment."""
    vienna = ("Vienna", "Austria", 48.2082, 16.3738, 20.0, "Europe/Vienna", "Wien")
    monkeypatch.setattr("pipeline.metadata.cities.cities", lambda: [vienna])


async def shown(family: Family, path: str) -> dict[str, Json]:
    """A file's row, as it is now."""
    row = await family.world.row(family.ids[path])
    return {key: row[key] for key in row.keys() if key != "updated_at"}  # noqa: SIM118 - of sqlite


async def test_one_file_is_edited_and_undone(family: Family) -> None:
    """Every field, with tags, in one job; the position gets its name, the date its zone."""
    path = family.photos[0]
    before, tags = await shown(family, path), await family.tags(path)
    job = await metadata.edit(
        family.actor, family.core, family.ids[path], Say(FIELDS), given=["lake", "summer"]
    )
    now = await shown(family, path)
    assert (now["title"], now["rating"], now["place"]) == ("At the lake", 4, "Vienna, Austria")
    assert now["taken_at"] == "1975-07-01T12:00:00+01:00"
    assert now["taken_utc"] == "1975-07-01T11:00:00.000Z"
    assert now["taken_from"] == "person"
    assert set(await family.tags(path)) == {"lake", "summer"}
    undone = await jobs.undo(family.actor, family.core, job)
    assert undone.left == ()
    assert (await shown(family, path), await family.tags(path)) == (before, tags)


async def test_a_bundle_is_edited_together(family: Family) -> None:
    """The film of a Live Photo was taken when the photo was; the sidecar says nothing of itself."""
    await metadata.edit(family.actor, family.core, family.ids[LIVE], Say({"rating": 5}))
    ratings = {
        path: (await shown(family, path))["rating"] for path in family.ids if "IMG_9" in path
    }
    assert {path.rpartition(".")[2]: stars for path, stars in ratings.items()} == {
        "HEIC": 5,
        "MOV": 5,
        "xmp": None,
    }


async def test_nobody_overwrites_what_they_have_not_seen(family: Family) -> None:
    """A version is good until anything about the file is another: a tag, a word."""
    file_id = family.ids[family.photos[0]]
    seen = await metadata.version(family.actor, family.core, file_id)
    await metadata.edit(family.actor, family.core, file_id, None, given=["new"], seen=seen)
    with pytest.raises(Stale):
        await metadata.edit(family.actor, family.core, file_id, Say({"title": "x"}), seen=seen)
    assert (await shown(family, family.photos[0]))["title"] is None


async def test_dates_of_many_are_shifted(family: Family) -> None:
    """The clock was an hour and a day behind; who has no date is told."""
    one, other, *_ = family.photos
    await family.world.execute(
        "UPDATE media_files SET taken_at = '2023-10-06T23:30:00+02:00',"
        " taken_utc = '2023-10-06T21:30:00.000Z' WHERE id = ?",
        family.ids[one],
    )
    await family.world.execute(
        "UPDATE media_files SET taken_at = NULL, taken_utc = NULL WHERE id = ?", family.ids[other]
    )
    rehearsed = await family.run(Shift(90_000), one, other, dry_run=True)
    done = await family.run(Shift(90_000), one, other)
    assert rehearsed.items == done.items
    assert done.items[0].before == {"taken_at": "2023-10-06T23:30:00+02:00"}
    assert done.items[0].after == {"taken_at": "2023-10-08T00:30:00+02:00"}
    assert [item.ok for item in done.items] == [True, False]
    assert "not known" in done.items[1].reason
    assert (await shown(family, one))["taken_utc"] == "2023-10-07T22:30:00.000Z"


@pytest.mark.parametrize(
    ("zone", "after"),
    [
        (Zone("Asia/Tokyo"), ("2023-10-06T08:30:00+09:00", "2023-10-05T23:30:00.000Z")),
        (Zone("-03:30"), ("2023-10-06T08:30:00-03:30", "2023-10-06T12:00:00.000Z")),
        (
            Zone("Asia/Tokyo", "moment"),
            ("2023-10-06T15:30:00+09:00", "2023-10-06T06:30:00.000Z"),
        ),
    ],
)
async def test_the_zone_of_many_is_set(family: Family, zone: Zone, after: tuple[str, str]) -> None:
    """What the clock showed stays, or the moment does."""
    path = family.photos[0]
    await family.world.execute(
        "UPDATE media_files SET taken_at = '2023-10-06T08:30:00+02:00',"
        " taken_utc = '2023-10-06T06:30:00.000Z' WHERE id = ?",
        family.ids[path],
    )
    result = await family.run(zone, path)
    assert result.items[0].ok
    row = await shown(family, path)
    assert (row["taken_at"], row["taken_utc"]) == after


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"rating": 6}, "Stars"),
        ({"rating": True}, "Stars"),
        ({"title": "x" * 301}, "300"),
        ({"title": "a\x00b"}, "control"),
        ({"title": 5}, "text"),
        ({"taken_at": "yesterday"}, "no date"),
        ({"taken_at": "9999-01-01T00:00:00"}, "no date"),
        ({"position": [91, 0]}, "latitude"),
        ({"position": [float("nan"), 0]}, "latitude"),
        ({"position": [1]}, "position"),
        ({"size": 1}, "cannot be edited"),
        ({}, "Nothing"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    family: Family, fields: dict[str, Json], word: str
) -> None:
    """Before anything is done, with the reason."""
    tables = await family.tables()
    with pytest.raises(Invalid, match=word):
        await family.run(Say(fields), family.photos[0])
    assert await family.tables() == tables


async def test_a_position_is_cleared_for_many(family: Family) -> None:
    """None is a word too; a word taken back shows again what was read."""
    one, other, *_ = family.photos
    await family.run(Say({"position": [48.2082, 16.3738]}), one, other)
    cleared = await family.run(Say({"position": None}), one, other)
    assert [item.after for item in cleared.items] == [{"position": None}] * 2
    assert (await shown(family, one))["place"] is None
    await family.run(Say(reset=("position",)), one)
    said = await metadata.said(family.actor, family.core, family.ids[one])
    assert said.said == {}


async def test_an_operation_can_be_asked_by_name(family: Family) -> None:
    """As programs ask."""
    assert asked("edit", {"fields": {"rating": 3}}) == Say({"rating": 3})
    assert asked("shift", {"seconds": -60}) == Shift(-60)
    assert asked("zone", {"zone": "Europe/Rome"}) == Zone("Europe/Rome")
    with pytest.raises(Invalid, match="no time zone"):
        editing.checked(Zone("Mars/Olympus"))
    with pytest.raises(Invalid):
        asked("shift", {"seconds": "soon"})


async def test_a_strangers_file_is_not_there(family: Family) -> None:
    """Absent and foreign look the same (T64)."""
    with pytest.raises(NotFound):
        await metadata.edit(family.actor, family.core, "nobody's", Say({"title": "x"}))


async def test_what_was_said_is_written_beside_the_file(family: Family) -> None:
    """A sidecar says it as other programs read it, only that, and undo brings back its bytes."""
    path, file_id = family.photos[0], family.ids[family.photos[0]]
    await metadata.edit(family.actor, family.core, file_id, Say({"rating": 2}))
    query = finding.query_of(family.core, "is:done")
    await tags.export(family.actor, family.core, query)
    sidecar = family.core.home.library / f"{path}.xmp"
    before = sidecar.read_bytes()
    await metadata.edit(family.actor, family.core, file_id, Say(FIELDS))
    export = await tags.export(family.actor, family.core, query)
    found = Findings()
    read_xmp(sidecar.read_bytes(), found)
    facts = found.facts()
    assert (facts.title, facts.description, facts.rating) == ("At the lake", "With Anna", 4)
    assert facts.dates[0].local == "1975-07-01T12:00:00"
    assert facts.dates[0].offset_min == 60
    assert [round(n, 4) for n in (facts.places[0].lat, facts.places[0].lon)] == FIELDS["position"]
    assert (await tags.export(family.actor, family.core, query)).job_id is None
    await metadata.edit(family.actor, family.core, file_id, Say({"position": None}))
    await tags.export(family.actor, family.core, query)
    assert b"GPS" not in sidecar.read_bytes()
    jobs_done = await jobs.recent(family.actor, family.core)
    for job in jobs_done:
        if job.job_type == "tags-export" and job.id >= str(export.job_id):
            await jobs.undo(family.actor, family.core, job.id)
    assert sidecar.read_bytes() == before
