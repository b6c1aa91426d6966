"""Tags, trash, folders and bundles over the API."""

from __future__ import annotations

import httpx
import pytest

from pipeline.service import batches, jobs
from pipeline.service.requests import Retag
from tests.service.family import LIVE, Family

API = "/api/v2"


async def test_a_tag_is_renamed_everywhere_and_undone(
    client: httpx.AsyncClient, family: Family
) -> None:
    """Files that have it get the new word; the job brings the old one back."""
    await family.run(Retag(add=("lake",)), *family.photos)
    listed = (await client.get(f"{API}/tags?q=LA")).json()["items"]
    assert [(one["tag"], one["files"], one["by_person"]) for one in listed] == [("lake", 3, 3)]
    answer = await client.patch(f"{API}/tags/lake", json={"name": "Lake Garda"})
    assert (answer.status_code, answer.json()["files"]) == (200, 3)
    tags = (await client.get(f"{API}/tags")).json()["items"]
    assert [one["tag"] for one in tags] == ["Lake Garda"]
    await jobs.undo(family.actor, family.core, answer.json()["job"])
    assert [one["tag"] for one in (await client.get(f"{API}/tags")).json()["items"]] == ["lake"]
    assert (await client.delete(f"{API}/tags/lake")).json()["files"] == 3
    assert (await client.get(f"{API}/tags")).json()["items"] == []
    assert (await client.delete(f"{API}/tags/lake")).status_code == 404


async def test_tags_of_very_many_are_renamed_behind_the_answer(
    client: httpx.AsyncClient, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202, and the job to follow."""
    monkeypatch.setattr(batches, "INLINE", 1)
    await family.run(Retag(add=("lake",)), *family.photos)
    answer = await client.patch(f"{API}/tags/lake", json={"name": "sea"})
    assert (answer.status_code, answer.json()["is_over"]) == (202, False)
    await family.core.errands.idle()
    assert set(await family.tags(family.photos[0])) == {"sea"}


async def test_what_is_known_is_written_beside_the_files(
    client: httpx.AsyncClient, family: Family
) -> None:
    """A rehearsal says which sidecars; then they are there, and a second run changes nothing."""
    await family.run(Retag(add=("lake",)), family.photos[0])
    body = {"query": "tag:lake"}
    rehearsed = (await client.post(f"{API}/tags/export", json={**body, "dry_run": True})).json()
    assert (rehearsed["job"], rehearsed["written"]) == (None, 1)
    done = (await client.post(f"{API}/tags/export", json=body)).json()
    assert done["items"] == rehearsed["items"]
    assert (family.core.home.library / done["items"][0]["sidecar"]).exists()
    again = (await client.post(f"{API}/tags/export", json=body)).json()
    assert (again["job"], again["written"]) == (None, 0)


async def test_the_trash_page_by_page_and_back(client: httpx.AsyncClient, family: Family) -> None:
    """A bundle goes and comes back as one; the list is stable page by page."""
    wanted = [family.ids[path] for path in (*family.photos, LIVE)]
    answer = await client.post(f"{API}/trash", json={"files": wanted})
    assert len(answer.json()["items"]) == 6
    seen: list[str] = []
    url: str | None = f"{API}/trash?limit=4"
    while url:
        page = (await client.get(url)).json()
        seen += [one["file_id"] for one in page["items"]]
        url = f"{API}/trash?limit=4&cursor={page['next']}" if page["next"] else None
    assert sorted(seen) == sorted(family.ids.values())
    back = await client.post(f"{API}/trash/restore", json={"files": [family.ids[LIVE]]})
    assert len(back.json()["items"]) == 3
    assert (await client.get(f"{API}/trash")).json()["next"] is None


async def test_a_purge_deletes_exactly_what_was_planned(
    client: httpx.AsyncClient, family: Family
) -> None:
    """Another trash than the one planned for deletes nothing (P2)."""
    one, other, _ = (family.ids[path] for path in family.photos)
    await client.post(f"{API}/trash", json={"files": [one]})
    assert (await client.get(f"{API}/trash/purge")).json()["files"] == 0  # its time is not over
    planned = (await client.get(f"{API}/trash/purge?everything=true")).json()
    assert planned["files"] == 1
    await client.post(f"{API}/trash", json={"files": [other]})
    body = {"everything": True, "plan": planned["plan"]}
    assert (await client.post(f"{API}/trash/purge", json=body)).status_code == 409
    assert len((await client.get(f"{API}/trash")).json()["items"]) == 2
    body["plan"] = (await client.get(f"{API}/trash/purge?everything=true")).json()["plan"]
    editor = await client.post(f"{API}/trash/purge", json=body, headers={"X-Actor": ":editor"})
    assert editor.status_code == 403
    done = (await client.post(f"{API}/trash/purge", json=body)).json()
    assert (done["files"], done["left"]) == (2, [])
    lines = await family.world.query("SELECT action, user_id FROM audit_log ORDER BY seq")
    assert [line["action"] for line in lines] == ["file.trashed"] * 2 + ["file.purged"] * 2
    assert {line["user_id"] for line in lines} == {family.actor.user_id}
    rows = await family.world.query("SELECT id FROM media_files WHERE state = 'purged'")
    assert {row["id"] for row in rows} == {one, other}


async def test_folders_are_told_looked_at_and_confirmed(
    client: httpx.AsyncClient, family: Family
) -> None:
    """Another's folders are not there."""
    listed = (await client.get(f"{API}/roots")).json()["items"]
    assert {one["kind"] for one in listed} >= {"library", "inbox"}
    root = listed[0]["id"]
    assert (await client.get(f"{API}/roots/{root}")).json() == listed[0]
    assert (await client.post(f"{API}/roots/{root}/look")).json()["state"] == "online"
    assert (await client.post(f"{API}/roots/{root}/confirm")).json() == {"missing": 0}
    stranger = {"X-Actor": "stranger:owner"}
    for method, path in (("GET", ""), ("POST", "/look"), ("POST", "/confirm")):
        answer = await client.request(method, f"{API}/roots/{root}{path}", headers=stranger)
        assert answer.status_code == 404


async def test_a_bundle_tells_its_members(client: httpx.AsyncClient, family: Family) -> None:
    """The picture first; another's bundle is not there."""
    bundle = (await client.get(f"{API}/files/{family.ids[LIVE]}")).json()["bundle_id"]
    members = (await client.get(f"{API}/bundles/{bundle}")).json()["members"]
    assert members[0]["path"] == LIVE
    assert len(members) == 3
    foreign = await client.get(f"{API}/bundles/{bundle}", headers={"X-Actor": "stranger:owner"})
    assert foreign.status_code == 404
