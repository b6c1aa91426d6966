"""Editing files over the API: versions, bad bodies, undo."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pipeline.service import jobs
from tests.service.family import Family


async def seen(client: httpx.AsyncClient, url: str) -> dict[str, str]:
    """The header that names the version there is now."""
    return {"If-Match": (await client.get(url)).headers["ETag"]}


def url_of(family: Family) -> str:
    """A photo's address."""
    return f"/api/v2/files/{family.ids[family.photos[0]]}"


async def test_fields_are_said_and_taken_back(client: httpx.AsyncClient, family: Family) -> None:
    """What is left out stays; `reset` shows what was read; the job undoes it."""
    url = url_of(family)
    said = {"title": "Lake", "taken_at": "2001-02-03T04:05:06+01:00", "tags": ["b", "a"]}
    answer = await client.patch(url, json=said, headers=await seen(client, url))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["title"], told["taken_at"]) == ("Lake", "2001-02-03T04:05:06+01:00")
    assert told["edited"] == ["taken_at", "title"]
    assert [tag["tag"] for tag in told["tags"]] == ["a", "b"]
    assert answer.headers["ETag"] == (await client.get(url)).headers["ETag"]
    job = answer.headers["Link"].split("/jobs/")[1].split("/")[0]
    reset = await client.patch(url, json={"reset": ["taken_at"]}, headers=await seen(client, url))
    assert reset.json()["taken_at"] == "2023-10-06T08:30:00+02:00"
    await jobs.undo(family.actor, family.core, job)
    assert (await client.get(url)).json()["title"] is None


async def test_put_says_everything(client: httpx.AsyncClient, family: Family) -> None:
    """Only what differs becomes a person's word; the same again changes nothing."""
    url = url_of(family)
    now = (await client.get(url)).json()
    whole = {
        "title": "Lake",
        "description": "Anna swims",
        "rating": None,
        "taken_at": now["taken_at"],
        "position": None,
        "tags": [],
    }
    answer = await client.put(url, json=whole, headers=await seen(client, url))
    assert answer.json()["edited"] == ["description", "title"]
    again = await client.put(url, json=whole, headers=await seen(client, url))
    assert again.json() == answer.json()


async def test_without_a_version_nothing_is_changed(
    client: httpx.AsyncClient, family: Family
) -> None:
    """428 without If-Match, 412 with an old one: and a tag given meanwhile counts (T65)."""
    url, body = url_of(family), {"title": "x"}
    assert (await client.patch(url, json=body)).status_code == 428
    old = await seen(client, url)
    assert (await client.patch(url, json={"tags": ["new"]}, headers=old)).status_code == 200
    stale = await client.patch(url, json=body, headers=old)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert (await client.delete(url, headers=old)).status_code == 412
    assert (await client.get(url)).json()["title"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"rating": 9}, 422),
        ({"rating": "5 stars"}, 422),
        ({"title": "x" * 301}, 422),
        ({"position": [100, 0]}, 422),
        ({"position": [1]}, 422),
        ({"taken_at": "soon"}, 422),
        ({"tags": ["x" * 101]}, 422),
        ({"reset": ["size"]}, 422),
        ({"title": "a", "reset": ["title"]}, 422),
        ({"owner_id": "me"}, 422),
        ([], 422),
    ],
)
async def test_bad_bodies_change_nothing(
    client: httpx.AsyncClient, family: Family, body: Any, status: int
) -> None:
    """Each gets its problem document."""
    url = url_of(family)
    before = await client.get(url)
    answer = await client.patch(url, json=body, headers={"If-Match": before.headers["ETag"]})
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await client.get(url)).content == before.content


async def test_a_viewer_may_not_edit(client: httpx.AsyncClient, family: Family) -> None:
    """The right is `files.write` (T66)."""
    headers = {"If-Match": "*", "X-Actor": ":viewer"}
    answer = await client.patch(url_of(family), json={"title": "x"}, headers=headers)
    assert answer.status_code == 403
