"""Batches over the API: rehearsed, answered file by file, long ones behind the answer, undone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pipeline.service import batches, jobs
from tests.service.family import LIVE, Family

URL = "/api/v2/batches"
OPERATIONS: list[dict[str, Any]] = [
    {"kind": "move", "target": "Holidays"},
    {"kind": "rename", "template": "{taken:%Y-%m-%d} {name}"},
    {"kind": "trash", "reason": "blurred"},
    {"kind": "retag", "add": ["lake"]},
    {"kind": "edit", "fields": {"rating": 5, "position": None}},
    {"kind": "shift", "seconds": 3_600},
    {"kind": "zone", "zone": "Asia/Tokyo"},
]


def ids(family: Family) -> list[str]:
    """The photos that stand alone."""
    return [family.ids[path] for path in family.photos]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: str(one["kind"]))
async def test_rehearsed_done_and_undone(
    client: httpx.AsyncClient, family: Family, operation: dict[str, Any]
) -> None:
    """A rehearsal changes nothing and tells the same items; undo brings everything back."""
    body = {"operation": operation, "files": [*ids(family), "nowhere"]}
    tree = family.tree()
    rows = await family.world.query("SELECT id, path, state, rating, taken_at FROM media_files")
    rehearsed = (await client.post(URL, json={**body, "dry_run": True})).json()
    assert rehearsed["job"] is None
    assert family.tree() == tree
    answer = await client.post(URL, json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["items"] == rehearsed["items"]
    assert (told["files"], told["left"], told["is_over"]) == (4, 1, True)
    page = (await client.get(f"{URL}/{told['job']}/items?limit=2")).json()
    assert page["items"] == told["items"][:2]
    rest = (await client.get(f"{URL}/{told['job']}/items?cursor={page['next']}")).json()
    assert page["items"] + rest["items"] == told["items"]
    assert rest["next"] is None
    await jobs.undo(family.actor, family.core, told["job"])
    after = await family.world.query("SELECT id, path, state, rating, taken_at FROM media_files")
    assert [tuple(row) for row in after] == [tuple(row) for row in rows]
    assert family.tree() == tree


async def test_many_are_done_behind_the_answer(
    client: httpx.AsyncClient, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202 with the job's address; when it is over every file has its answer."""
    monkeypatch.setattr(batches, "INLINE", 1)
    body = {"operation": OPERATIONS[3], "query": "type:photo"}
    answer = await client.post(URL, json=body)
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert answer.headers["Location"] == f"/api/v2/jobs/{job}"
    await family.core.errands.idle()
    state = (await client.get(f"{URL}/{job}")).json()
    assert (state["status"], state["operation"], state["left"]) == ("done", "retag", 0)
    items = (await client.get(f"{URL}/{job}/items")).json()["items"]
    assert {item["id"] for item in items} >= {*ids(family), family.ids[LIVE]}


async def test_copies_asked_for_from_afar_stay_below_exports(
    client: httpx.AsyncClient, family: Family
) -> None:
    """No folder of the machine can be named (T71)."""
    answer = await client.post(
        URL,
        json={"operation": {"kind": "copy", "destination": "for Anna"}, "files": ids(family)[:1]},
    )
    assert answer.json()["left"] == 0, answer.text
    assert [one.parent.name for one in (family.core.home.path / "exports").rglob("*.jpg")] == [
        "for Anna"
    ]
    for destination in ("/tmp/x", "../x", "a/../../x", "", "."):
        wish = {"kind": "copy", "destination": destination}
        answer = await client.post(URL, json={"operation": wish, "files": ids(family)[:1]})
        assert answer.status_code == 422, destination


async def test_into_an_album_and_out_again(client: httpx.AsyncClient, family: Family) -> None:
    """Those that were in it before stay when the batch is undone."""
    album = (await client.post("/api/v2/albums", json={"title": "Lake"})).json()["id"]
    first, *_ = photos = ids(family)
    wish = {"kind": "album", "album": album}
    await client.post(URL, json={"operation": wish, "files": [first]})
    told = (await client.post(URL, json={"operation": wish, "files": photos})).json()
    assert told["left"] == 0, told
    inside = "SELECT file_id FROM album_files"
    assert {row["file_id"] for row in await family.world.query(inside)} == set(photos)
    await jobs.undo(family.actor, family.core, told["job"])
    assert [row["file_id"] for row in await family.world.query(inside)] == [first]
    foreign = {"kind": "album", "album": "nobody's"}
    answer = await client.post(URL, json={"operation": foreign, "files": photos})
    assert answer.status_code == 404


async def test_what_a_crash_cut_off_is_told(family: Family) -> None:
    """At the next start the job says that the rest was not done."""
    from pipeline.service import batch
    from pipeline.service.requests import Move

    job = await batch.begin(family.actor, family.core, Move("x"))
    assert await batches.sweep(family.core) == 1
    assert (await batches.job(family.actor, family.core, job)).status == "failed"


@pytest.mark.parametrize(
    "body",
    [
        {"operation": {"kind": "shred"}, "files": ["x"]},
        {"operation": {"kind": "move"}, "files": ["x"]},
        {"operation": OPERATIONS[0]},
        {"operation": OPERATIONS[0], "files": ["x"], "query": "beach"},
        {"operation": {"kind": "move", "target": "../etc"}, "files": ["x"]},
        {"operation": {"kind": "edit", "fields": {"size": 1}}, "files": ["x"]},
        {"operation": {"kind": "shift", "seconds": 10**400}, "files": ["x"]},
        {"operation": OPERATIONS[0], "files": ["x"] * 10_001},
        {"operation": OPERATIONS[0], "query": "rating:lots"},
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    client: httpx.AsyncClient, family: Family, body: dict[str, Any]
) -> None:
    """Each gets its problem document before anything is done; no job is left behind."""
    answer = await client.post(URL, json=body)
    assert answer.status_code == 422, answer.text
    assert await family.world.query("SELECT 1 FROM processing_jobs") == []


async def test_rights_and_strangers(client: httpx.AsyncClient, family: Family) -> None:
    """A viewer may not (T66); another's batch is not there (T64)."""
    body = {"operation": OPERATIONS[3], "files": ids(family)}
    refused = await client.post(URL, json=body, headers={"X-Actor": ":viewer"})
    assert refused.status_code == 403
    job = (await client.post(URL, json=body)).json()["job"]
    foreign = await client.get(f"{URL}/{job}", headers={"X-Actor": "stranger:owner"})
    assert foreign.status_code == 404
