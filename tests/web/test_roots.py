"""Watched folders over the API: chosen, changed, searched, left; Darkroom's own stay."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from pipeline.intake.posts import Post
from pipeline.service.serving import watched_roots
from tests.service.family import Family

URL = "/api/v2/roots"


async def test_a_folder_is_chosen_changed_and_left(
    client: httpx.AsyncClient, family: Family, tmp_path: Path
) -> None:
    """It is watched at once and after the next start; who chose what stands in the audit log."""
    card, told = tmp_path / "card", list[str]()
    card.mkdir()
    core = family.core
    with core.posts.manned(
        lambda root: Post(lambda: told.append("look"), lambda: told.append("stop"))
    ):
        made = await client.post(URL, json={"path": str(card), "take": "index"})
        assert made.status_code == 201
        assert {**made.json(), "id": ""} == {
            "id": "", "path": str(card), "kind": "foreign", "take": "index", "state": "online",
            "reason": None, "source": "chosen",
        }  # fmt: skip
        where = made.headers["Location"]
        assert (await client.post(URL, json={"path": f"{card}/"})).status_code == 409
        assert (await client.post(f"{where}/scan")).status_code == 202
        changed = await client.patch(where, json={"kind": "managed", "take": "move"})
        assert (changed.json()["kind"], changed.json()["take"]) == ("managed", "move")
        assert (await client.patch(where, json={"kind": "foreign"})).status_code == 409
        again = await watched_roots(family.actor, core)
        assert [(root.path, root.take) for root in again][-1] == (card, "move")
        assert (await client.delete(where)).status_code == 204
        assert (await client.post(f"{where}/scan")).status_code == 409
    assert told == ["look", "stop", "stop"]
    assert (await client.get(where)).json()["source"] == "once"
    assert card.exists()
    lines = await family.world.query("SELECT action, before, after FROM audit_log ORDER BY seq")
    assert [line["action"] for line in lines] == ["root.chosen", "root.chosen", "root.left"]
    was = {"path": str(card), "kind": "foreign", "take": "index"}
    now = {"path": str(card), "kind": "managed", "take": "move"}
    assert [json.loads(line["before"] or "null") for line in lines] == [None, was, now]


async def test_what_may_not_be_watched_is_refused(
    client: httpx.AsyncClient, family: Family, tmp_path: Path
) -> None:
    """No folder, Darkroom's own, moving out of what is foreign, a path that is none."""
    for body in (
        {"path": str(tmp_path / "nowhere")},
        {"path": str(family.core.home.trash)},
        {"path": str(tmp_path), "take": "move"},
        {"path": "card"},
    ):
        assert (await client.post(URL, json=body)).status_code == 422
    own = next(one for one in (await client.get(URL)).json()["items"] if one["source"] == "own")
    assert (await client.delete(f"{URL}/{own['id']}")).status_code == 409
    assert (await client.patch(f"{URL}/{own['id']}", json={"take": "copy"})).status_code == 409
