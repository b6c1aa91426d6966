"""The pages as a browser without scripts gets them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from pipeline.registry import discover
from tests.service.family import Family
from web.shell import Page
from web.texts import texts

WEB = Path(__file__).parents[2] / "web"
PAGES: tuple[Page, ...] = discover("web.pages", "PAGE")


async def test_every_page_in_the_navigation_opens(client: httpx.AsyncClient) -> None:
    """Each is HTML with one heading and a way past the navigation."""
    for page in PAGES:
        if "<" in page.path:
            continue
        answer = await client.get(page.path)
        assert answer.status_code == 200, page.name
        assert answer.text.count("<h1") == 1, page.name
        assert 'class="skip"' in answer.text


async def test_a_file_has_its_page(client: httpx.AsyncClient, family: Family) -> None:
    """The page tells what is known; the fragment is the same without its frame."""
    file_id = family.ids[family.photos[0]]
    whole = await client.get(f"/library/{file_id}")
    assert family.photos[0] in whole.text
    fragment = await client.get(f"/library/{file_id}", headers={"X-Fragment": "1"})
    assert fragment.text.lstrip().startswith("<article")


async def test_who_is_not_signed_in_is_sent_to_sign_in(stranger: httpx.AsyncClient) -> None:
    """And comes back to where they wanted to go."""
    answer = await stranger.get("/?q=anna")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login?next=/%3Fq%3Danna"


async def test_what_is_not_there_is_told_in_words(client: httpx.AsyncClient) -> None:
    """A page, not a problem document."""
    answer = await client.get("/library/00000000-0000-7000-8000-000000000000")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_hostile_words_stay_words(client: httpx.AsyncClient) -> None:
    """What was searched for is shown and never runs (T55)."""
    answer = await client.get("/", params={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in answer.text


async def test_scripts_are_kept_for_ever_and_import_each_other(client: httpx.AsyncClient) -> None:
    """Every asset a page names is there, immutable, and so is what it imports."""
    html = (await client.get("/")).text
    wanted = re.findall(r'(?:src|href)="(/static/[^"#]+)', html)
    assert wanted
    seen: set[str] = set()
    while wanted:
        url = wanted.pop()
        seen.add(url)
        answer = await client.get(url)
        assert answer.status_code == 200, url
        assert "immutable" in answer.headers["Cache-Control"]
        wanted += set(re.findall(r'from "(/static/[^"]+)"', answer.text)) - seen


def test_every_text_is_there_and_used() -> None:
    """Templates name no text that is missing."""
    known = texts()
    for template in (WEB / "templates").glob("*.html"):
        for key in re.findall(r"""\bt\(["']([\w.]+)["'][,)]""", template.read_text("utf-8")):
            assert key in known, f"{template.name}: {key}"
    for page in PAGES:
        assert f"nav.{page.name}" in known


@pytest.mark.parametrize("path", sorted((WEB / "templates").glob("*.html")), ids=lambda p: p.name)
def test_templates_hold_no_script_and_no_style(path: Path) -> None:
    """The security policy would refuse them."""
    text = path.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son\w+=|\sstyle=", text)


def test_numbers_are_said_as_people_say_them() -> None:
    """Bytes, counts and days."""
    from web.shell import count, day, size

    assert [size(n) for n in (0, 999, 1_000, 12_345_678, 3.2e12)] == [
        "0 B", "999 B", "1.0 kB", "12.3 MB", "3.2 TB",
    ]  # fmt: skip
    assert count(1234567) == "1\u202f234\u202f567"
    assert day("2023-07-05T10:00:00+02:00") == "5 July 2023"
