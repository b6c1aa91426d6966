"""The dashboard in a real browser, over a real `darkroom serve`: each page's main task."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.kit import cli, media

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
PHOTOS = 24
NAME, PASSWORD = "anna", "a long enough password"
# Where screenshots for the documentation are left, when somebody wants them.
PICTURES = os.environ.get("DARKROOM_TEST_PICTURES")


@dataclass(frozen=True, slots=True)
class Served:
    """A running Darkroom: where it is, and the link that makes the first account."""

    address: str
    link: str
    home: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A library of small photos over several years, and a server over it."""
    home, source = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("photos")
    for number in range(PHOTOS):
        pixels = media.scene(160 + 20 * (number % 5), 120 + 30 * (number % 3), seed=number)
        name = f"IMG_{2000 + number}0{number % 9 + 1}15_120000.jpg"
        (source / name).write_bytes(media.jpeg(pixels))
    cli.process(home, source)
    with cli.start(home, "serve") as process:
        try:
            assert process.stdout is not None
            said = ""
            while "Find them in" not in said:
                said += process.stdout.readline()
            while "#" not in said:
                said += process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", said)
            link = re.search(r"http\S+/welcome#\S+", said)
            assert address is not None
            assert link is not None
            yield Served(address[0], link[0], home)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
        finally:
            process.kill()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def _signed_in(context: BrowserContext, served: Served) -> Page:
    """A page of somebody who is signed in; the first time, the account is made by the link."""
    page = await context.new_page()
    await page.goto(f"{served.address}/login")
    await _fill_in(page)
    if page.url.startswith(f"{served.address}/login"):
        await page.goto(served.link)
        await page.wait_for_selector("#token", state="hidden")
        await _fill_in(page)
    await expect(page).to_have_url(f"{served.address}/")
    return page


async def _fill_in(page: Page) -> None:
    await page.fill("input[name=username]", NAME)
    await page.fill("input[name=password]", PASSWORD)
    async with page.expect_navigation():
        await page.click("main button[type=submit]")


@pytest.fixture
async def page(browser: Browser, served: Served) -> AsyncIterator[Page]:
    """The library, signed in; what a script complains of fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    page = await _signed_in(context, served)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await page.wait_for_selector(".wall.is-live .tile")
    yield page
    await context.close()
    assert complaints == []


async def test_the_wall_shows_every_month_as_it_is_reached(page: Page) -> None:
    """Scrolling to the end brings the oldest photo; only what is near exists in the page."""
    await page.keyboard.press("End")
    await page.wait_for_selector("text=January 2000")
    assert await page.locator(".tile").count() < PHOTOS * 2


async def test_a_photo_opens_large_and_leads_on(page: Page) -> None:
    """A click opens it, an arrow goes along, Escape comes back to where it was."""
    await page.locator(".tile a").first.click()
    viewer = page.locator("dialog.over .viewer")
    await expect(viewer).to_be_visible()
    first = await viewer.get_attribute("data-id")
    await page.keyboard.press("ArrowRight")
    await expect(viewer).not_to_have_attribute("data-id", first or "")
    await page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()
    await expect(page).to_have_url(re.compile(r"/$"))


async def test_putting_away_is_taken_back(page: Page, served: Served) -> None:
    """Selected photos go to the trash together, and the message takes them back."""
    before = len(cli.library(served.home))
    for number in (0, 1):
        await page.locator(".tile").nth(number).hover()
        await page.locator(".tile .pick").nth(number).click()
    await page.click("#selection [data-do=trash]")
    toast = page.locator(".toast button", has_text="Undo")
    await expect(toast).to_be_visible()
    assert len(cli.library(served.home)) == before - 2
    await toast.click()
    await expect(page.locator(".toast", has_text="Taken back")).to_be_visible()
    assert len(cli.library(served.home)) == before


async def test_the_trash_gives_back(page: Page, served: Served) -> None:
    """What lies in the trash can be taken back from its page."""
    await page.locator(".tile").nth(2).hover()
    await page.locator(".tile .pick").nth(2).click()
    await page.click("#selection [data-do=trash]")
    await expect(page.locator(".toast")).to_be_visible()
    await page.goto(f"{served.address}/trash")
    await page.click("text=Take back")
    await expect(page.locator("main")).to_contain_text("The trash is empty")


async def test_dropped_files_are_added(page: Page, served: Served, tmp_path: Path) -> None:
    """A file given to the page is in the library soon, whole."""
    data = media.jpeg(media.scene(200, 160, seed=977))
    await page.evaluate(
        """async ([name, bytes]) => {
            const module = [...document.scripts].find((one) => one.src.includes("upload")).src;
            const { send } = await import(module);
            const file = new File([new Uint8Array(bytes)], name, { type: "image/jpeg" });
            await send([{ name, file }]);
        }""",
        ["IMG_20300101_120000.jpg", list(data)],
    )
    digests = cli.library(served.home).values
    wanted = cli.digest(_written(tmp_path / "same.jpg", data))
    cli.wait_until(lambda: wanted in digests() or wanted in cli.library(served.home).values(), "it")


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


PAGES = ("/", "/now", "/people", "/duplicates", "/albums", "/trash", "/timeline", "/system")
PAGES += ("/users", "/audit", "/settings", "/docs/problems")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_shut_out(browser: Browser, served: Served, scheme: str) -> None:
    """axe finds nothing to mend on any page, in light and in dark (WCAG AA)."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = await _signed_in(context, served)
    found = {}
    for path in (*PAGES, "/login"):
        await page.goto(served.address + path)
        await page.wait_for_load_state("networkidle" if path in ("/", "/system") else "load")
        told = await Axe().run(page)
        found[path] = [one["id"] for one in told.response["violations"]]
        await _keep(page, path, scheme)
    await context.close()
    assert found == {path: [] for path in found}


async def test_it_fits_a_phone(browser: Browser, served: Served) -> None:
    """No page is wider than a small phone."""
    context = await browser.new_context(viewport={"width": 360, "height": 740}, is_mobile=True)
    page = await _signed_in(context, served)
    for path in PAGES:
        await page.goto(served.address + path)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, path
        await _keep(page, path, "phone")
    await context.close()


async def test_it_reads_without_scripts(browser: Browser, served: Served) -> None:
    """Signing in and looking need no JavaScript."""
    context = await browser.new_context(java_script_enabled=False)
    signed_in = await browser.new_context()
    await _signed_in(signed_in, served)  # the account is there from here on
    await signed_in.close()
    page = await context.new_page()
    await page.goto(f"{served.address}/")
    await _fill_in(page)
    await expect(page.locator(".tile img").first).to_be_visible()
    await page.locator(".tile").first.click()
    await expect(page.locator(".viewer .facts h1")).to_be_visible()
    await context.close()


async def _keep(page: Page, path: str, kind: str) -> None:
    if PICTURES is not None:
        name = path.strip("/") or "library"
        await page.screenshot(path=str(Path(PICTURES, f"{name}-{kind}.png")))
