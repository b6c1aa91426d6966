"""What was made of files, over the API."""

from __future__ import annotations

import hashlib

import httpx

from pipeline.state import renditions
from pipeline.state.renditions import Rendition
from tests.kit.state import AT
from tests.service.family import Family

API = "/api/v2"


def made(family: Family) -> Rendition:
    """A smaller copy of the first photo, lying in the cache."""
    path = family.photos[0]
    data = b"smaller"
    (family.core.home.cache / "made.webp").write_bytes(data)
    return Rendition(
        id="r1",
        file_id=family.ids[path],
        owner_id=family.actor.user_id,
        job_id=None,
        stage="optimise",
        version=1,
        params="{}",
        sha256=hashlib.sha256(b"photo 0").hexdigest(),
        outcome="made",
        reason=None,
        facts={"score": 1.0},
        kind="",
        path="made.webp",
        mime="image/webp",
        width=10,
        height=10,
        made_sha256=hashlib.sha256(data).hexdigest(),
        bytes_before=100,
        bytes_after=len(data),
        original_id=None,
        made_at=AT,
        replaced_at=None,
    )


async def test_copies_are_listed_shown_and_summed_up(
    client: httpx.AsyncClient, family: Family
) -> None:
    """With their bytes while the cache has them; not to strangers (T64)."""
    one = made(family)
    await family.world.db.write(renditions.add, one)
    listed = (await client.get(f"{API}/files/{one.file_id}/renditions")).json()["items"]
    assert [(item["stage"], item["bytes_after"]) for item in listed] == [("optimise", 7)]
    answer = await client.get(listed[0]["url"])
    assert (answer.content, answer.headers["Content-Type"]) == (b"smaller", "image/webp")
    ledger = (await client.get(f"{API}/renditions/savings")).json()["items"]
    assert [(item["made"], item["bytes_before"]) for item in ledger] == [(1, 100)]
    foreign = await client.get(listed[0]["url"], headers={"X-Actor": "stranger:owner"})
    assert foreign.status_code == 404
    (family.core.home.cache / "made.webp").unlink()
    assert (await client.get(listed[0]["url"])).status_code == 404
