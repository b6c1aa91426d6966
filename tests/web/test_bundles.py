"""Bundles over HTTP: looked at, joined, split, each with the job that undoes it."""

from __future__ import annotations

import httpx

from tests.service.family import LIVE, Family

API = "/api/v2"


async def test_joined_split_and_undone(client: httpx.AsyncClient, family: Family) -> None:
    """201 with the bundle as it is now; the job in `Link` takes it back."""
    one, other, _ = (family.ids[path] for path in family.photos)
    made = await client.post(f"{API}/bundles", json={"files": [one, other]})
    assert made.status_code == 201
    bundle = made.json()["bundle"]
    assert [member["id"] for member in bundle["members"]] == [one, other]
    assert (await client.get(made.headers["Location"])).json() == bundle
    path = f"{API}/bundles/{bundle['id']}/split"
    assert (await client.post(path, json={"files": [family.ids[LIVE]]})).status_code == 404
    assert (await client.post(path, json={"files": [one, other]})).status_code == 422
    apart = (await client.post(path, json={"files": [other]})).json()
    assert [member["id"] for member in apart["bundle"]["members"]] == [other]
    for job in (apart["job"], made.json()["job"]):
        undone = await client.post(f"{API}/jobs/{job}/undo")
        assert undone.json()["left"] == []
    assert (await client.get(made.headers["Location"])).status_code == 404
