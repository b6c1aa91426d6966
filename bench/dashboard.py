"""The library page in headless Chromium over 100,000 files.

Bars: first contentful paint under 1 s, interactive (the wall live, its first pictures there) under
2 s, the first load at most 200 kB compressed (page, scripts, styles, data), and never more than 3
requests in flight while 5,000 rows are scrolled past. Medians of three cold loads; the machine
should be otherwise idle.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Request, async_playwright

from config.settings import Settings
from pipeline.clock import SystemClock, timestamp
from pipeline.core import Core, Mode, open_core
from pipeline.model import Actor, Surface
from tests.kit import media
from web.app import create_app
from web.server import serving

FILES = int(os.environ.get("DARKROOM_BENCH_FILES", "100000"))
PAINT_MS, INTERACTIVE_MS, BYTES, IN_FLIGHT = 1_000, 2_000, 200_000, 3
PICTURES = 50  # different ones; what they show is no part of this
ROUNDS = 3


@dataclass(frozen=True)
class Loaded:
    """One cold load."""

    paint_ms: float
    interactive_ms: float
    bytes: int


class _Household:
    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    async def actor_of(self, request: object) -> Actor:
        """Everybody is the household."""
        return self._actor


def fill(con: sqlite3.Connection, owner: str, cache: Path) -> None:
    """As many photos as there are to be, over thirty years, and thumbnails for them to share."""
    root = con.execute("SELECT id FROM roots WHERE kind = 'library'").fetchone()[0]
    now = timestamp(SystemClock().now())
    columns = (
        "id, owner_id, root_id, source_path, source_dir, bucket, take, size, mtime_ns, inode,"
        " state, sha256, format, category, mime, path, path_key, taken_at, taken_utc, width,"
        " height, orientation, found_at, updated_at"
    )
    marks = ", ".join("?" * 24)
    con.executemany(
        f"INSERT INTO media_files ({columns}) VALUES ({marks})",
        (_row(number, owner, root, now) for number in range(FILES)),
    )
    for number in range(PICTURES):
        name = f"thumb-{number}.jpg"
        (cache / name).write_bytes(media.jpeg(media.scene(320, 240, seed=number), quality=80))
    con.executemany(
        "INSERT INTO derivatives VALUES (?, 'thumbnail', 1, ?, 'image/jpeg', 320, 240, ?)",
        (
            (f"{number:064x}", f"thumb-{number % PICTURES}.jpg", _size(cache, number % PICTURES))
            for number in range(FILES)
        ),
    )


def _size(cache: Path, number: int) -> int:
    return (cache / f"thumb-{number}.jpg").stat().st_size


def _row(number: int, owner: str, root: str, now: str) -> tuple[Any, ...]:
    month = number * 360 // FILES
    day, hour = number % 28 + 1, number % 24
    taken = f"{1995 + month // 12}-{month % 12 + 1:02d}-{day:02d}T{hour:02d}:00:00"
    path = f"{taken[:4]}/{taken[:7]}/IMG_{number:06d}.jpg"
    turned = 6 if number % 5 == 0 else 1
    where = (f"0190-{number:031d}", owner, root, path.encode(), b"", f"b{number}", "move")
    what = (3_000_000, 1, number, "done", f"{number:064x}", "jpeg", "photo", "image/jpeg")
    return (*where, *what, path, path, taken, f"{taken}Z", 4000, 3000, turned, now, now)


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[str]:
    """The server over a library of that size."""
    async with open_core(home, Settings(), SystemClock(), Mode.CHANGE) as core:
        await core.db.write(fill, core.owner_id, core.home.cache)
        async with serving(create_app(core, _Household(_actor(core))), "127.0.0.1", 0) as address:
            yield address


def _actor(core: Core) -> Actor:
    return core.household(Surface.WEB)


async def load(browser: Browser, address: str) -> Loaded:
    """One load without anything kept."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    wire = await context.new_cdp_session(page)
    await wire.send("Network.enable")
    pictures: set[str] = set()
    sizes: list[tuple[str, float]] = []
    wire.on("Network.responseReceived", lambda told: _notice(pictures, told))
    wire.on("Network.loadingFinished", lambda told: sizes.append(_size_of(told)))
    await page.goto(address, wait_until="commit")
    await page.wait_for_selector(".wall.is-live .tile img.is-there")
    interactive = await page.evaluate("performance.now()")
    text = sum(size for request, size in sizes if request not in pictures)
    paint = await page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    )
    await context.close()
    return Loaded(paint, interactive, int(text))


def _notice(pictures: set[str], told: dict[str, Any]) -> None:
    if told["type"] == "Image":
        pictures.add(told["requestId"])


def _size_of(told: dict[str, Any]) -> tuple[str, float]:
    return told["requestId"], told["encodedDataLength"]


async def most_in_flight(page: Page, address: str) -> int:
    """Scroll the whole wall past, and look how many requests wait at a time."""
    waiting: set[Request] = set()
    most = 0

    def begun(request: Request) -> None:
        nonlocal most
        waiting.add(request)
        most = max(most, len(waiting))

    await page.goto(address)
    await page.wait_for_selector(".wall.is-live .tile img.is-there")
    await page.wait_for_load_state("networkidle")
    page.on("request", begun)
    page.on("requestfinished", lambda request: waiting.discard(request))  # noqa: PLW0108 - a built-in cannot be wrapped
    page.on("requestfailed", lambda request: waiting.discard(request))  # noqa: PLW0108 - a built-in cannot be wrapped
    await page.mouse.move(600, 400)
    for step in range(100):
        await page.mouse.wheel(0, 5_000 * 190 // 100)
        await page.wait_for_timeout(400 if step % 10 == 9 else 40)  # who scrolls rests at times
    await page.wait_for_timeout(1_000)
    assert most > 0, "nothing was asked for: the wall was not scrolled"
    return most


async def measure(home: Path) -> bool:
    """All bars."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    async with served(home) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        await load(browser, address)  # the server's own first time
        loads = [await load(browser, address) for _ in range(ROUNDS)]
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        flight = await most_in_flight(page, address)
        await browser.close()
    paint = statistics.median(one.paint_ms for one in loads)
    interactive = statistics.median(one.interactive_ms for one in loads)
    size = max(one.bytes for one in loads)
    print(f"{FILES} files: first contentful paint {paint:.0f} ms (bar {PAINT_MS})")
    print(f"interactive {interactive:.0f} ms (bar {INTERACTIVE_MS})")
    print(f"first load {size / 1000:.0f} kB without pictures (bar {BYTES / 1000:.0f} kB)")
    print(f"requests in flight while scrolling: {flight} at most (bar {IN_FLIGHT})")
    is_fast = paint < PAINT_MS and interactive < INTERACTIVE_MS
    return is_fast and size <= BYTES and flight <= IN_FLIGHT


def main() -> int:
    """See the module."""
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        return 0 if asyncio.run(measure(Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
