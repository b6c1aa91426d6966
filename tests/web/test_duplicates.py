"""Duplicates over the API: totals before, merged, remembered, undone."""

from __future__ import annotations

import httpx
import pytest

from pipeline.service import albums, jobs, metadata
from pipeline.service.editing import Say
from pipeline.service.requests import Retag
from pipeline.state import duplicates
from pipeline.state.albums import Words
from pipeline.state.duplicates import Pair
from tests.service.family import LIVE, Family

URL = "/api/v2/duplicates"


@pytest.fixture
async def alike(family: Family) -> list[str]:
    """Three photos that look alike: the first two nearly the same, the third less so."""
    one, two, three = (family.ids[path] for path in family.photos)
    pairs = [Pair(one, two, 1), Pair(one, three, 9), Pair(two, three, 9)]
    await family.world.db.write(duplicates.add_similar, pairs, "2024-01-01T00:00:00.000Z")
    return [one, two, three]


async def state(family: Family) -> list[tuple[object, ...]]:
    """What undo must bring back."""
    rows = await family.world.query(
        "SELECT id, state, title, rating, lat, taken_at FROM media_files"
    )
    told = await family.world.query("SELECT file_id, other_id, decision FROM similar")
    tags = await family.world.query("SELECT file_id, tag FROM tags WHERE is_removed = 0")
    return [tuple(row) for row in (*rows, *told, *tags)]


async def test_totals_first_then_done_and_undone(
    client: httpx.AsyncClient, family: Family, alike: list[str]
) -> None:
    """A rehearsal tells the bytes; what only the others know goes over; undo is exact (T13)."""
    one, two, three = alike
    groups = (await client.get(URL)).json()["items"]
    assert [member["file_id"] for member in groups[0]["members"]] == alike
    await metadata.edit(family.actor, family.core, two, Say({"title": "Lake", "rating": 5}))
    await family.run(Retag(add=("beach",)), two)
    await metadata.edit(family.actor, family.core, one, Say({"rating": 2}))
    before = await state(family)
    body = {"verdicts": [{"keep": one, "trash": [two, three]}]}
    planned = (await client.post(f"{URL}/decisions", json={**body, "dry_run": True})).json()
    assert (planned["files"], planned["bytes"], planned["merged"]) == (2, 14, 1)
    assert await state(family) == before
    done = (await client.post(f"{URL}/decisions", json=body)).json()
    assert {**done, "job": None} == planned
    row = await family.world.row(one)
    assert (row["title"], row["rating"]) == ("Lake", 2)
    assert set(await family.tags(family.photos[0])) == {"beach"}
    assert (await client.get(URL)).json()["items"] == []
    await jobs.undo(family.actor, family.core, done["job"])
    assert await state(family) == before


async def test_albums_keep_the_picture(
    client: httpx.AsyncClient, family: Family, alike: list[str]
) -> None:
    """The kept file takes the place of the others in their albums, once; undo is exact."""
    one, two, three = alike
    album = await albums.make(family.actor, family.core, Words("Lake"))
    await albums.add(family.actor, family.core, album.album.id, [two, three])
    body = {"verdicts": [{"keep": one, "trash": [two, three]}]}
    planned = (await client.post(f"{URL}/decisions", json={**body, "dry_run": True})).json()
    assert planned["takes_over"] == [{"keep": one, "fields": {}, "tags": [], "albums": ["Lake"]}]
    assert planned["verdicts"] == body["verdicts"]
    done = (await client.post(f"{URL}/decisions", json=body)).json()
    held = "SELECT file_id FROM album_files ORDER BY file_id"
    assert [row[0] for row in await family.world.query(held)] == sorted(alike)
    await jobs.undo(family.actor, family.core, done["job"])
    assert [row[0] for row in await family.world.query(held)] == sorted([two, three])


async def test_a_rule_touches_only_what_is_near(
    client: httpx.AsyncClient, family: Family, alike: list[str]
) -> None:
    """It rehearses unless told otherwise; the third differs too much."""
    rehearsed = (await client.post(f"{URL}/rule", json={"prefer": "oldest"})).json()
    assert (rehearsed["job"], rehearsed["groups"], rehearsed["files"]) == (None, 1, 1)
    done = (await client.post(f"{URL}/rule", json={"prefer": "oldest", "dry_run": False})).json()
    assert done["files"] == 1
    assert (await family.world.row(alike[0]))["state"] == "done"
    assert (await family.world.row(alike[1]))["state"] == "trashed"


async def test_what_was_decided_is_not_asked_again(
    client: httpx.AsyncClient, family: Family, alike: list[str]
) -> None:
    """Different is remembered, and can be taken back."""
    one, two, three = alike
    body = {"decision": "different", "pairs": [[one, two], [three, one], [two, three]]}
    job = (await client.post(f"{URL}/pairs", json=body)).json()["job"]
    assert (await client.get(URL)).json()["items"] == []
    await jobs.undo(family.actor, family.core, job)
    assert len((await client.get(URL)).json()["items"]) == 1


async def test_decisions_are_listed_and_forgotten(
    client: httpx.AsyncClient, family: Family, alike: list[str]
) -> None:
    """Page by page, with names; what is forgotten is asked about again, and that is undone, too."""
    one, two, three = alike
    body = {"decision": "different", "pairs": [[one, two], [three, one], [two, three]]}
    await client.post(f"{URL}/pairs", json=body)
    first = (await client.get(f"{URL}/pairs", params={"limit": 2})).json()
    rest = (await client.get(f"{URL}/pairs", params={"cursor": first["next"]})).json()
    told = first["items"] + rest["items"]
    assert {(each["file_id"], each["other_id"]) for each in told} == {
        (one, two), (one, three), (two, three),
    }  # fmt: skip
    assert rest["next"] is None
    assert {each["name"] for each in told} <= {path.rpartition("/")[2] for path in family.photos}
    forgotten = await client.post(f"{URL}/pairs", json={**body, "decision": None})
    assert (await client.get(f"{URL}/pairs")).json()["items"] == []
    (group,) = (await client.get(URL)).json()["items"]
    assert group["alike"] == ["1 to 9 of 64 marks of the picture differ"]
    await jobs.undo(family.actor, family.core, forgotten.json()["job"])
    assert len((await client.get(f"{URL}/pairs")).json()["items"]) == 3


async def test_what_makes_no_sense_changes_nothing(
    client: httpx.AsyncClient, family: Family, alike: list[str]
) -> None:
    """Kept and trashed at once, twice, foreign, nobody's: a problem each, and no job."""
    one, two, _ = alike
    for verdicts, status in (
        ([{"keep": one, "trash": [one]}], 422),
        ([{"keep": one, "trash": [two]}, {"keep": two, "trash": [one]}], 422),
        ([{"keep": one, "trash": [two, two]}], 422),
        ([{"keep": one, "trash": ["nobody's"]}], 404),
        ([{"keep": one, "trash": []}], 422),
        ([{"keep": family.ids[LIVE], "trash": [family.ids[LIVE.replace("HEIC", "MOV")]]}], 422),
    ):
        answer = await client.post(f"{URL}/decisions", json={"verdicts": verdicts})
        assert answer.status_code == status, answer.text
    body = {"decision": "same", "pairs": [[one, two], [one, "nobody's"]]}
    assert (await client.post(f"{URL}/pairs", json=body)).status_code == 404
    assert await family.world.query("SELECT 1 FROM processing_jobs") == []
    foreign = await client.get(URL, headers={"X-Actor": "stranger:owner"})
    assert foreign.json()["items"] == []
