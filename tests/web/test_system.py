"""The machine over the API: snapshots on demand, and what the doctor finds."""

from __future__ import annotations

import httpx

from tests.service.family import Family

API = "/api/v2"


async def test_a_snapshot_is_taken_when_asked_for(
    client: httpx.AsyncClient, family: Family
) -> None:
    """It lies sealed beside the others, and is told under its name."""
    assert (await client.get(f"{API}/backups")).json() == {"items": []}
    made = await client.post(f"{API}/backups")
    assert (made.status_code, made.json()["label"]) == (201, "by-script")
    told = (await client.get(made.headers["Location"])).json()
    assert told == made.json()
    assert (await client.get(f"{API}/backups")).json() == {"items": [told]}
    folder = family.core.home.state / "snapshots"
    assert (folder / told["name"]).stat().st_size == told["bytes"]
    assert (await client.get(f"{API}/backups/..%2Fdarkroom.sqlite")).status_code == 404


async def test_the_doctor_answers(client: httpx.AsyncClient) -> None:
    """Each finding with its level, and what to do where it is not well; for administrators."""
    items = (await client.post(f"{API}/system/check", timeout=60)).json()["items"]
    assert {one["level"] for one in items} <= {"ok", "note", "bad"}
    assert all(one["mend"] for one in items if one["level"] == "bad")
    assert any("decoders" in one["what"] for one in items)
    editor = await client.post(f"{API}/system/check", headers={"X-Actor": ":editor"})
    assert editor.status_code == 403
