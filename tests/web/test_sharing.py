"""Albums, teams, permissions, links, quotas and the audit log over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.access import passwords
from pipeline.model import Json
from tests.web.village import Clients, open_clients

API = "/api/v2"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost little here."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    monkeypatch.setattr(passwords, "PASSES", 1)


@pytest.fixture
async def all_(tmp_path: Path) -> AsyncIterator[Clients]:
    """The village, served."""
    async with open_clients(tmp_path / "home") as clients:
        yield clients


async def _post(client: httpx.AsyncClient, path: str, body: Json, status: int = 201) -> Any:
    answer = await client.post(API + path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def _get(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    answer = await client.get(API + path)
    assert answer.status_code == status, answer.text
    return answer.json()


async def _album(all_: Clients, *, lent: str | None = None) -> str:
    """Anna's album with her photos, lent to Ben."""
    album = (await _post(all_.anna, "/albums", {"title": "Summer"}))["id"]
    await _post(all_.anna, f"/albums/{album}/files", {"ids": all_.village.files}, 200)
    if lent is not None:
        grant = {"resource_type": "album", "resource_id": album, "user_id": "ben"}
        await _post(all_.anna, "/permissions", {**grant, "permission": lent})
    return str(album)


async def test_an_album_from_making_to_restoring(all_: Clients) -> None:
    """Made, filled, renamed under its version, deleted, brought back."""
    album = await _album(all_)
    shown = await all_.anna.get(f"{API}/albums/{album}")
    assert (shown.json()["files"], shown.json()["permission"]) == (3, "own")
    path, change = f"{API}/albums/{album}", {"title": "Sea"}
    assert (await all_.anna.patch(path, json=change)).status_code == 428
    stale = await all_.anna.patch(path, json=change, headers={"If-Match": '"9-x"'})
    assert stale.status_code == 412
    changed = await all_.anna.patch(path, json=change, headers={"If-Match": shown.headers["ETag"]})
    assert (changed.json()["title"], changed.json()["description"]) == ("Sea", "")
    gone = await all_.anna.delete(path)
    assert (gone.status_code, "restore" in gone.headers["Link"]) == (204, True)
    await _get(all_.anna, f"/albums/{album}", 404)
    assert [one["id"] for one in (await _get(all_.anna, "/albums/deleted"))["items"]] == [album]
    back = await _post(all_.anna, f"/albums/{album}/restore", {}, 200)
    assert back["files"] == 3


async def test_a_version_outlives_what_others_say(all_: Clients) -> None:
    """A comment changes what is shown, not what a title is edited by."""
    album = await _album(all_, lent="view")
    first = await all_.anna.get(f"{API}/albums/{album}")
    await _post(all_.ben, f"/albums/{album}/comments", {"text": "Oh!"})
    second = await all_.anna.get(f"{API}/albums/{album}")
    assert first.headers["ETag"] != second.headers["ETag"]
    changed = await all_.anna.patch(
        f"{API}/albums/{album}", json={"title": "Sea"}, headers={"If-Match": first.headers["ETag"]}
    )
    assert changed.status_code == 200


async def test_the_family_looks_and_talks(all_: Clients) -> None:
    """Lent to look at: pictures, comments, favourites, what is new; nothing else."""
    album = await _album(all_, lent="view")
    (seen,) = (await _get(all_.ben, "/albums"))["items"]
    assert (seen["new_files"], seen["permission"], seen["is_own"]) == (3, "view", False)
    page = await _get(all_.ben, f"/albums/{album}/files?limit=2")
    rest = await _get(all_.ben, f"/albums/{album}/files?cursor={page['next']}")
    file = page["items"][0]["id"]
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert "path" not in page["items"][0]
    comment = await _post(
        all_.ben, f"/albums/{album}/comments", {"text": "<b>Lovely</b>", "file_id": file}
    )
    for method, status in (("PUT", 204), ("PUT", 204)):
        put = await all_.ben.request(method, f"{API}/albums/{album}/files/{file}/favourite")
        assert put.status_code == status
    about = await _get(all_.anna, f"/albums/{album}/files/{file}/activity")
    assert [one["kind"] for one in about["items"]] == ["commented", "favourite"]
    assert about["items"][0]["text"] == "<b>Lovely</b>"
    feed = await _get(all_.anna, f"/albums/{album}/activity?limit=1")
    assert (feed["items"][0]["kind"], feed["items"][0]["is_new"]) == ("favourite", True)
    await _post(all_.anna, f"/albums/{album}/seen", {"upto": None}, 204)
    assert (await _get(all_.anna, f"/albums/{album}"))["new_comments"] == 0
    gone = await all_.ben.delete(f"{API}/albums/{album}/comments/{comment['id']}")
    back = await all_.ben.delete(f"{API}/albums/{album}/files/{file}/favourite")
    assert (gone.status_code, back.status_code) == (204, 204)
    await _post(all_.ben, f"/albums/{album}/files", {"ids": all_.village.bens}, 403)
    removed = await _post(all_.ben, f"/albums/{album}/files/remove", {"ids": [file]}, 200)
    assert removed == {"removed": 0}


async def test_pictures_of_a_lent_album_are_shown_and_others_are_not(all_: Clients) -> None:
    """T64: a file is answered where it is lent, and is not there where it is not."""
    await _album(all_, lent="view")
    file = all_.village.files[0]
    assert (await _get(all_.ben, f"/files/{file}"))["id"] == file
    content = await all_.ben.get(f"{API}/files/{file}/content")
    assert content.content.startswith(b"photo")
    assert (await all_.ben.delete(f"{API}/files/{file}")).status_code == 403
    for path in ("", "/content", "/derivatives/preview"):
        absent = await all_.dora.get(f"{API}/files/nothing{path}")
        foreign = await all_.dora.get(f"{API}/files/{file}{path}")
        assert (absent.status_code, foreign.status_code) == (404, 404)
        assert absent.json()["detail"] == foreign.json()["detail"]


async def test_a_lent_library_is_looked_into(all_: Clients) -> None:
    """`X-Library` names whose files are asked about; foreign and absent look the same."""
    village = all_.village
    owner = village.anna.user_id
    inside = {"X-Library": owner}
    assert (await all_.ben.get(f"{API}/files", headers=inside)).status_code == 404
    grant = {"resource_type": "library", "resource_id": owner, "user_id": "ben"}
    made = await _post(all_.anna, "/permissions", grant)
    found = (await all_.ben.get(f"{API}/files", headers=inside)).json()["items"]
    assert {one["id"] for one in found} >= set(village.files)
    own = (await _get(all_.ben, "/files"))["items"]
    assert {one["id"] for one in own} == set(village.bens)
    refused = await all_.ben.delete(f"{API}/files/{village.files[0]}", headers=inside)
    assert refused.status_code == 403
    document = await _get(all_.anna, "/openapi.json")
    told = {path: [one["name"] for one in document["paths"][path]["get"]["parameters"]]
            for path in ("/api/v2/files", "/api/v2/files/{file_id}", "/api/v2/audit")}  # fmt: skip
    assert [path for path, names in told.items() if "X-Library" in names] == ["/api/v2/files"]
    (lent,) = (await _get(all_.ben, "/permissions/libraries"))["items"]
    assert lent == {"owner_id": owner, "name": "ann", "permission": "view"}
    assert (await all_.ben.delete(f"{API}/permissions/{made['id']}")).status_code == 204
    assert (await all_.ben.get(f"{API}/files", headers=inside)).status_code == 404


async def test_who_sees_what_and_why(all_: Clients) -> None:
    """Grants are listed, explained, and ended."""
    file = all_.village.files[0]
    thing = {"resource_type": "file", "resource_id": file}
    grant = await _post(all_.anna, "/permissions", {**thing, "team_id": all_.village.team})
    query = f"resource_type=file&resource_id={file}"
    assert [one["id"] for one in (await _get(all_.anna, f"/permissions?{query}"))["items"]] == [
        grant["id"]
    ]
    assert [one["id"] for one in (await _get(all_.clara, "/permissions"))["items"]] == [grant["id"]]
    why = await _get(all_.clara, f"/permissions/why?{query}")
    assert why["sentences"] == [
        "clara sees this file because they are in the team “Grandparents”, which may look at it."
    ]
    audience = await _get(all_.anna, f"/permissions/audience?{query}")
    assert [one["name"] for one in audience["people"]] == ["ann", "clara"]
    await _get(all_.dora, f"/permissions/why?{query}", 404)
    await _get(all_.dora, f"/permissions/{grant['id']}", 404)
    receivers = await _get(all_.ben, "/permissions/receivers")
    assert [one["name"] for one in receivers["people"]] == ["ann", "clara", "dora"]
    wrong = {**thing, "team_id": all_.village.team, "user_id": "ben"}
    await _post(all_.anna, "/permissions", wrong, 422)


async def test_teams_over_http(all_: Clients) -> None:
    """Administrators make, rename and fill them; members see and leave them."""
    team = await _post(all_.anna, "/teams", {"name": "Friends"})
    path = f"{API}/teams/{team['id']}"
    await _post(all_.anna, "/teams", {"name": "friends"}, 409)
    await _post(all_.ben, "/teams", {"name": "Mine"}, 403)
    joined = await all_.anna.put(f"{path}/members/ben")
    assert [one["name"] for one in joined.json()["members"]] == ["ben"]
    renamed = await all_.anna.patch(
        path, json={"name": "Pals"}, headers={"If-Match": joined.headers["ETag"]}
    )
    assert renamed.json()["name"] == "Pals"
    assert [one["name"] for one in (await _get(all_.ben, "/teams"))["items"]] == ["Pals"]
    assert (await all_.ben.delete(f"{path}/members/ben")).status_code == 204
    await _get(all_.ben, f"/teams/{team['id']}", 404)
    assert (await all_.anna.delete(path)).status_code == 204


async def test_a_link_from_making_to_revoking(all_: Clients) -> None:
    """A stranger opens it with the password, sees what is shown, and is put out at the end."""
    wanted = {"file_ids": all_.village.files, "password": "four words", "view_limit": 1}
    made = await _post(all_.anna, "/shares", wanted)
    address, share = made["address"], made["details"]["id"]
    assert made["details"]["has_password"]
    assert address.startswith(all_.address)
    look = await all_.stranger.get(f"{address}/look")
    assert look.json() == {"needs_password": True, "expires_at": None}
    assert (await all_.stranger.get(f"{address}/files")).status_code == 404
    assert (await all_.stranger.post(f"{address}/open", json={})).status_code == 401
    wrong = await all_.stranger.post(f"{address}/open", json={"password": "guess"})
    assert wrong.status_code == 401
    entered = await all_.stranger.post(f"{address}/open", json={"password": "four words"})
    assert entered.json()["files"] == 3
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Path=/s/{address.rpartition('/')[2]};" in cookie
    page = (await all_.stranger.get(f"{address}/files?limit=2")).json()
    rest = (await all_.stranger.get(f"{address}/files?cursor={page['next']}")).json()
    shown = [*page["items"], *rest["items"]]
    assert {one["id"] for one in shown} == set(all_.village.files)
    assert {one["details"] for one in shown} == {None}
    assert (await all_.stranger.get(f"{address}/inside")).json()["files"] == 3
    async with httpx.AsyncClient() as other:
        second = await other.post(f"{address}/open", json={"password": "four words"})
        assert second.status_code == 404
    assert (await _get(all_.anna, f"/shares/{share}"))["views"] == 1
    assert (await all_.anna.delete(f"{API}/shares/{share}")).status_code == 204
    assert (await all_.stranger.get(f"{address}/files")).status_code == 404


async def test_a_links_terms_are_changed_under_their_version(all_: Clients) -> None:
    """What is not named stays, the password too; a new address ends the old one."""
    file = all_.village.files[0]
    wanted = {"file_ids": [file], "password": "four words", "download": "original"}
    made = await _post(all_.anna, "/shares", {**wanted, "expires_at": "2999-01-01T00:00:00Z"})
    share, path = made["details"]["id"], f"{API}/shares/{made['details']['id']}"
    etag = (await all_.anna.get(path)).headers["ETag"]
    changed = await all_.anna.patch(path, json={"title": "Ours"}, headers={"If-Match": etag})
    told = changed.json()
    assert (told["title"], told["has_password"], told["download"]) == ("Ours", True, "original")
    assert told["expires_at"] == "2999-01-01T00:00:00.000Z"
    headers = {"If-Match": changed.headers["ETag"]}
    freed = await all_.anna.patch(
        path, json={"password": None, "expires_at": None}, headers=headers
    )
    assert (freed.json()["has_password"], freed.json()["expires_at"]) == (False, None)
    renewed = await _post(all_.anna, f"/shares/{share}/renew", {}, 200)
    assert (await all_.stranger.get(f"{made['address']}/look")).status_code == 404
    await all_.stranger.post(f"{renewed['address']}/open", json={})
    got = await all_.stranger.get(f"{renewed['address']}/files/{file}/content")
    assert got.content.startswith(b"photo")
    assert f"photo-{file[-8:]}.jpg" in got.headers["Content-Disposition"]
    await _get(all_.ben, f"/shares/{share}", 404)
    assert len((await _get(all_.anna, "/shares"))["items"]) == 1
    await _post(all_.anna, "/shares", {"download": "none"}, 422)


async def test_quotas_over_http(all_: Clients) -> None:
    """Set under their version, seen by oneself, lifted."""
    path = f"{API}/quotas/ben"
    now = await all_.anna.get(path)
    assert now.json()["version"] == 0
    put = await all_.anna.put(
        path, json={"hard_bytes": 0}, headers={"If-Match": now.headers["ETag"]}
    )
    assert put.json()["limits"]["hard_bytes"] == 0
    mine = await _get(all_.ben, "/quotas/me")
    assert (mine["usage"]["files"], mine["limits"]["hard_files"]) == (2, None)
    await _get(all_.ben, "/quotas", 403)
    await _get(all_.ben, "/quotas/clara", 403)
    assert len((await _get(all_.anna, "/quotas"))["items"]) == 4
    bad = await all_.anna.put(path, json={"hard_bytes": -1}, headers={"If-Match": "*"})
    assert bad.status_code == 422
    assert (await all_.anna.delete(path)).status_code == 204


async def test_the_audit_log_over_http(all_: Clients) -> None:
    """Read page by page, checked, exported; by nobody else (T66)."""
    await _album(all_, lent="view")
    page = await _get(all_.anna, "/audit?limit=1")
    assert page["items"][0]["action"] == "access.granted"
    following = await _get(all_.anna, f"/audit?limit=1&cursor={page['next']}")
    assert following["items"][0]["action"] == "album.files-added"
    only = await _get(all_.anna, "/audit?action=album.made")
    assert only["items"][0]["after"] == {"title": "Summer"}
    verified = await _get(all_.anna, "/audit/verify")
    assert (verified["fault"], verified["lines"] > 3) == (None, True)
    noted = await _get(all_.anna, f"/audit/verify?head={verified['head']}")
    assert noted["fault"] is None
    lines = (await all_.anna.get(f"{API}/audit/export")).text.splitlines()
    assert json.loads(lines[-1])["action"] == "access.granted"
    table = await all_.anna.get(f"{API}/audit/export?format=csv")
    assert table.text.startswith("seq,at,user_id")
    assert table.headers["Content-Disposition"].startswith("attachment")
    assert (await all_.anna.get(f"{API}/audit/export?format=xml")).status_code == 422
    for path in ("/audit", "/audit/verify", "/audit/export"):
        await _get(all_.ben, path, 403)
