"""Makes the pictures of the dashboard in this folder: `python docs/make_pictures.py`.

The photos in them are drawn here, hills under many skies, so that the documentation holds nobody's
own.
"""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from playwright.async_api import Page, async_playwright

DOCS = Path(__file__).parent
SIZES = ((1200, 800), (800, 1200), (1200, 675), (1000, 1000), (1600, 700))
PHOTOS = 90
COLOURS = 160
SHOTS = (
    ("library", "/", "dark"),
    ("timeline", "/timeline", "light"),
    ("system", "/system", "dark"),
)


def landscape(seed: int) -> Image.Image:
    """Hills in the haze under a sky of one hour of the day."""
    chance = random.Random(seed)
    width, height = chance.choice(SIZES)
    top, low, land = chance.choice(
        (
            ((24, 40, 90), (245, 150, 90), (30, 20, 45)),
            ((70, 130, 200), (215, 230, 240), (35, 70, 45)),
            ((15, 18, 40), (90, 60, 110), (10, 10, 20)),
            ((240, 170, 120), (250, 220, 180), (80, 50, 60)),
            ((120, 160, 190), (235, 235, 230), (60, 75, 85)),
        )
    )
    ramp = np.linspace(0, 1, height)[:, None, None] ** 1.3
    sky = np.array(top) * (1 - ramp) + np.array(low) * ramp
    picture = Image.fromarray(np.broadcast_to(sky, (height, width, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    x, y, r = chance.randrange(width), chance.uniform(0.15, 0.5) * height, height * 0.06
    draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(min(255, c + 60) for c in low))
    picture = picture.filter(ImageFilter.GaussianBlur(1.5))
    for layer in range(5):
        near = (layer + 1) / 5
        colour = tuple(int(a * near + b * (1 - near)) for a, b in zip(land, low, strict=True))
        ImageDraw.Draw(picture).polygon(_ridge(chance, width, height, near), fill=colour)
    return picture


def _ridge(
    chance: random.Random, width: int, height: int, near: float
) -> list[tuple[float, float]]:
    steps = np.arange(0, width + 20, 20)
    line = sum(
        chance.uniform(0.4, 1) / n * np.sin(steps / width * 6.3 * n + chance.uniform(0, 6.3))
        for n in (1, 2, 3, 5, 8)
    )
    tops = height * (0.45 + 0.45 * near) - np.asarray(line) * height * 0.07
    return [(0, height), *zip(steps.tolist(), tops.tolist(), strict=True), (width, height)]


def main() -> None:
    """Fill a library, serve it, take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        home, photos = Path(folder, "home"), Path(folder, "photos")
        photos.mkdir()
        for number in range(PHOTOS):
            day = f"2024{8 - number // 30:02d}{28 - number % 28:02d}_1{number % 10}0000"
            landscape(number).save(photos / f"IMG_{day}.jpg", quality=90)
        darkroom = [sys.executable, "-m", "bot", "--home", str(home)]
        subprocess.run([*darkroom, "process", str(photos), "--json"], check=True)
        with subprocess.Popen([*darkroom, "serve"], stdout=subprocess.PIPE, text=True) as server:
            try:
                asyncio.run(_take(_link(server)))
            finally:
                server.terminate()


def _link(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"http\S+/welcome#\S+", line):
            return found[0]
    raise SystemExit("The server said no link.")


async def _take(link: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.goto(link)
        await page.fill("input[name=username]", "anna")
        await page.fill("input[name=password]", "a long enough password")
        async with page.expect_navigation():
            await page.click("main button[type=submit]")
        await asyncio.sleep(25)  # some samples for the graphs
        for name, path, scheme in SHOTS:
            await page.emulate_media(color_scheme=scheme)
            await page.goto(link.partition("/welcome")[0] + path)
            await _shoot(page, name)
        await browser.close()


async def _shoot(page: Page, name: str) -> None:
    await page.wait_for_load_state("networkidle")
    await asyncio.sleep(1)
    target = DOCS / f"{name}.png"
    await page.screenshot(path=str(target))
    Image.open(target).convert("RGB").quantize(COLOURS).save(target, optimize=True)


if __name__ == "__main__":
    main()
