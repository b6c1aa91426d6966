"""Settings over the API: explained, stored below file and environment, never in a start's way."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import httpx
import pytest

from config.settings import Settings, load
from pipeline.service import configuring
from pipeline.state import settings as rows
from tests.service.family import Family

URL = "/api/v2/settings"


async def test_every_setting_is_explained(client: httpx.AsyncClient) -> None:
    """With its default and its source; what is secret stays so."""
    items = {one["name"]: one for one in (await client.get(URL)).json()["items"]}
    assert items["library.trash_days"]["value"] == items["library.trash_days"]["default"] == 30
    assert items["library.trash_days"]["source"] == "default"
    unexplained = [name for name, one in items.items() if not one["explanation"]]
    assert unexplained == [] or set(unexplained) <= {"roots"}
    assert all(one["value"] in ("***", None, [], {}) for one in items.values() if one["is_secret"])


async def test_a_stored_value_counts_from_the_next_start(
    client: httpx.AsyncClient, family: Family, tmp_path: Path
) -> None:
    """It is pending until then; the file and the environment win over it."""
    answer = await client.put(f"{URL}/library.trash_days", json={"value": 60})
    told = answer.json()
    assert (told["value"], told["pending"], told["is_pending"]) == (30, 60, True)
    home = family.core.home
    stored = await asyncio.to_thread(configuring.stored_at, home.path, Settings())
    assert stored == {"library.trash_days": 60}
    started = load(home.path, {}, stored)
    assert (started.library.trash_days, started.source_of("library.trash_days")) == (60, "stored")
    (home.path / "darkroom.toml").write_text("[library]\ntrash_days = 10\n")
    assert load(home.path, {}, stored).library.trash_days == 10
    environ = {"DARKROOM_LIBRARY__TRASH_DAYS": "5"}
    wins = load(home.path, environ, stored)
    assert (wins.library.trash_days, wins.source_of("library.trash_days")) == (5, "environment")
    reset = (await client.delete(f"{URL}/library.trash_days")).json()
    assert reset["is_pending"] is False
    lines = await family.world.query("SELECT action FROM audit_log ORDER BY seq")
    assert [line["action"] for line in lines] == ["setting.changed"] * 2


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("library.trash_days", 0, 422),
        ("library.trash_days", "soon", 422),
        ("web.port", 70_000, 422),
        ("library.nothing", 1, 404),
        ("nothing", 1, 404),
        ("places.state", "/tmp", 409),
    ],
)
async def test_what_makes_no_sense_is_not_stored(
    client: httpx.AsyncClient, family: Family, name: str, value: object, status: int
) -> None:
    """Nothing is kept of it."""
    answer = await client.put(f"{URL}/{name}", json={"value": value})
    assert answer.status_code == status, answer.text
    assert await family.core.db.read(rows.below, configuring.PREFIX) == {}


async def test_what_the_file_says_is_changed_there(family: Family) -> None:
    """Refused, so that nobody wonders why it has no effect."""
    from pipeline.errors import Conflict

    (family.core.home.path / "darkroom.toml").write_text("[web]\nport = 9000\n")
    core = dataclasses.replace(family.core, settings=load(family.core.home.path, {}))
    with pytest.raises(Conflict, match=r"darkroom\.toml"):
        await configuring.put(family.actor, core, "web.port", 9001)


def test_nothing_stored_keeps_darkroom_from_starting(tmp_path: Path) -> None:
    """An unknown or impossible stored value is left out; the others count."""
    stored = {"gone.setting": 1, "web.port": "no", "library.trash_days": 7}
    assert load(tmp_path, {}, stored).library.trash_days == 7


async def test_only_who_runs_the_household(client: httpx.AsyncClient) -> None:
    """An editor neither sees nor changes settings (T66)."""
    editor = {"X-Actor": ":editor"}
    assert (await client.get(URL, headers=editor)).status_code == 403
    body = {"value": 1}
    answer = await client.put(f"{URL}/library.trash_days", json=body, headers=editor)
    assert answer.status_code == 403
