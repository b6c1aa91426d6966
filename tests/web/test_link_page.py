"""The page of a link: its door, the pictures behind it, all without an account or scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from pipeline.access import passwords
from pipeline.service import shares
from pipeline.service.shares import Wanted
from tests.web.village import Clients, open_clients


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


async def _link(all_: Clients, **terms: object) -> str:
    village = all_.village
    wanted = Wanted(**terms)  # type: ignore[arg-type]  # a test says what it likes
    return (await shares.of_files(village.anna, village.core, village.files, wanted)).path


async def _enter(client: httpx.AsyncClient, path: str, password: str = "") -> httpx.Response:
    return await client.post(path, data={"password": password}, follow_redirects=True)


async def test_the_door_counts_nothing_and_opens(all_: Clients) -> None:
    """Looking at the door is free; going in shows the pictures and what to save."""
    path = await _link(all_, title="<b>Summer</b>", view_limit=1)
    for _ in range(3):
        door = await all_.stranger.get(path)
        assert door.status_code == 200
        assert "password" not in door.text.partition("<form")[2]
    inside = await _enter(all_.stranger, path)
    assert "&lt;b&gt;Summer&lt;/b&gt;" in inside.text
    assert inside.text.count("/derivatives/thumbnail") == 3
    assert inside.text.count("/content") == 3
    again = await all_.stranger.get(path)
    assert again.text.count("/derivatives/thumbnail") == 3
    async with httpx.AsyncClient(base_url=all_.address) as other:
        assert (await other.get(path)).status_code == 404


async def test_a_wrong_password_is_told_and_slowed(all_: Clients) -> None:
    """The page says so in words, and after ten tries that one has to wait."""
    path = await _link(all_, password="four words", download="none")
    assert 'type="password"' in (await all_.stranger.get(path)).text
    for _ in range(10):
        assert "not the password" in (await _enter(all_.stranger, path, "guess")).text
    assert "Too many tries" in (await _enter(all_.stranger, path, "four words")).text


async def test_what_is_not_given_away_is_not_offered(all_: Clients) -> None:
    """Without details no name or date stands on the page; without files nothing to save."""
    path = await _link(all_, password="four words", download="none")
    inside = await _enter(all_.stranger, path, "four words")
    assert "/content" not in inside.text
    assert "IMG_" not in inside.text
    assert "2023" not in inside.text
    told = await _enter(all_.stranger, await _link(all_, shows_details=True))
    assert "October 2023" in told.text


@pytest.mark.parametrize("token", ["x", "dl_" + "A" * 43, "%22%3E%3Cscript%3E"])
async def test_a_link_that_is_not_good_is_a_page_that_says_so(all_: Clients, token: str) -> None:
    """404 in words, whatever stands in the address."""
    answer = await all_.stranger.get(f"/s/{token}")
    assert answer.status_code == 404
    assert "not good" in answer.text
    assert "<script>" not in answer.text.lower().replace("<script src", "")
    entered = await _enter(all_.stranger, f"/s/{token}")
    assert entered.status_code == 404
