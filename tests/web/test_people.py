"""People over the API: decided one thing at a time, undone, and a "no" that is final."""

from __future__ import annotations

import httpx
import pytest

from pipeline.library import people as grouped
from pipeline.state import people as rows
from tests.kit import people as made_up
from tests.kit.state import AT
from tests.service.family import Family

API = "/api/v2"


@pytest.fixture
async def two(client: httpx.AsyncClient, family: Family) -> list[str]:
    """The ids of two people, each on all three photos."""
    vectors, _ = made_up.faces(1, 2, 3, alike=0.9)
    for number, path in enumerate(family.photos):
        facts = made_up.facts(vectors[[number, 3 + number]])
        await family.world.db.write(rows.learn, family.actor.user_id, family.ids[path], facts, AT)
    await grouped.catch_up(family.world.db, family.world.clock)
    listed = (await client.get(f"{API}/people")).json()["items"]
    return [one["id"] for one in listed]


async def test_one_thing_at_a_time_and_back(client: httpx.AsyncClient, two: list[str]) -> None:
    """A name, hidden, a chosen face; each is a decision that can be undone."""
    anna, ben = two
    url = f"{API}/people/{anna}"
    named = (await client.patch(url, json={"name": "Anna"})).json()
    assert named["person"]["name"] == "Anna"
    shown = (await client.get(f"{API}/people/anna")).json()
    assert (shown["id"], len(shown["portraits"])) == (anna, 3)
    cover = shown["portraits"][2]["id"]
    assert (await client.patch(url, json={"cover": cover})).json()["person"]["cover"] == cover
    assert (await client.patch(url, json={"is_hidden": True})).json()["person"]["is_hidden"]
    assert [one["id"] for one in (await client.get(f"{API}/people")).json()["items"]] == [ben]
    for _ in range(3):
        newest = (await client.get(f"{API}/people/decisions")).json()["items"][0]["id"]
        assert (await client.post(f"{API}/people/decisions/{newest}/undo")).status_code == 200
    assert (await client.get(url)).json()["name"] is None
    both = await client.patch(url, json={"name": "A", "is_hidden": True})
    assert both.status_code == 422


async def test_faces_are_moved_and_people_merged(
    client: httpx.AsyncClient, family: Family, two: list[str]
) -> None:
    """Faces of a file; given to somebody; not who they were taken for; two who are one."""
    anna, ben = two
    faces = (await client.get(f"{API}/files/{family.ids[family.photos[0]]}/faces")).json()["items"]
    mine = next(face for face in faces if face["person_id"] == anna)
    moved = await client.post(f"{API}/faces/move", json={"faces": [mine["id"]], "to": ben})
    assert moved.status_code == 200
    assert (await client.get(f"{API}/people/{ben}")).json()["faces"] == 4
    out = await client.post(f"{API}/faces/exclude", json={"faces": [mine["id"]]})
    assert out.status_code == 200
    merged = await client.post(f"{API}/people/{anna}/merge", json={"other": ben})
    assert merged.status_code == 200
    assert (await client.get(f"{API}/people/{ben}")).status_code == 404
    assert (await client.get(f"{API}/people/questions")).status_code == 200


async def test_a_no_and_the_switch_are_final(client: httpx.AsyncClient, two: list[str]) -> None:
    """What was erased is told, and cannot be undone."""
    anna, _ = two
    said = (await client.patch(f"{API}/people/{anna}", json={"consent": "no"})).json()
    assert (said["decision"], said["erased"], said["person"]["consent"]) == (None, 3, "no")
    url = f"{API}/people/recognition"
    assert (await client.get(url)).json()["is_on"] is True
    editor = await client.put(url, json={"is_on": False}, headers={"X-Actor": ":editor"})
    assert editor.status_code == 403
    off = (await client.put(url, json={"is_on": False})).json()
    assert (off["is_on"], off["erased"]) == (False, 3)
    assert (await client.put(url, json={"is_on": True})).json()["is_on"] is True


async def test_who_nobody_is(client: httpx.AsyncClient, two: list[str]) -> None:
    """Another household's people are not there (T64); a viewer decides nothing (T66)."""
    foreign = {"X-Actor": "stranger:owner"}
    assert (await client.get(f"{API}/people/{two[0]}", headers=foreign)).status_code == 404
    refused = await client.patch(
        f"{API}/people/{two[0]}", json={"name": "X"}, headers={"X-Actor": ":viewer"}
    )
    assert refused.status_code == 403
