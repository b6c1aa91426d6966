"""What surrounds every page: who looks, the frame with its navigation, and the same errors.

A page is declared by `PAGE = Page(...)` in a file of `web/pages/`. Who is not signed in is sent to
the sign-in page and comes back; who may not look at a page is told so in words.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import DictLoader
from quart import Response, redirect, render_template, request
from quart.typing import ResponseTypes

from pipeline.access.rights import Right, allows, require
from pipeline.errors import DarkroomError
from pipeline.model import Actor
from pipeline.registry import discover
from web import edge, problems
from web.contract import Asked
from web.endpoint import NOBODY
from web.texts import text, texts

if TYPE_CHECKING:
    from web.app import App

Gather = Callable[..., Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its address, who may see it, its template and what fills it."""

    name: str  # key of its texts: `nav.<name>` is its title
    path: str
    right: Right | None  # None: anybody, also without an account
    gather: Gather
    template: str
    order: int = 0  # in the navigation; 0 is not in it
    icon: str = ""
    scripts: tuple[str, ...] = ()


def install(app: App) -> None:
    """Give the application its pages and what templates may use."""
    app.jinja_env.loader = DictLoader(_templates())
    pages: tuple[Page, ...] = discover("web.pages", "PAGE")
    shown = sorted((page for page in pages if page.order), key=lambda page: page.order)
    app.jinja_env.globals.update(
        t=text, static=app.statics.url, nav=shown, allows=allows, texts=texts()
    )
    app.jinja_env.filters.update(size=size, day=day, count=count, ago=ago, left=left)
    for page in pages:
        app.add_url_rule(page.path, page.name, _view(app, page), methods=["GET"])


@functools.cache
def _templates() -> dict[str, str]:
    """All of them, read at the start: nobody's first look waits for the disk in the loop."""
    folder = Path(__file__).parent / "templates"
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in found}


def _view(app: App, page: Page) -> Callable[..., Awaitable[ResponseTypes]]:
    async def view(**parameters: str) -> ResponseTypes:
        try:
            actor = await app.gate.actor_of(request)
        except DarkroomError:
            actor = None
        if actor is None and page.right is not None:
            return redirect(f"/login?next={quote(request.full_path.rstrip('?'))}")
        try:
            if actor is not None and page.right is not None:
                require(actor, page.right)
            asked = Asked(actor or NOBODY, app.core, request)
            told = await page.gather(asked, **parameters)
            return await _rendered(page, asked, actor, told)
        except DarkroomError as error:
            return await refused(error, actor)

    return view


async def _rendered(
    page: Page, asked: Asked, actor: Actor | None, told: Mapping[str, Any]
) -> Response:
    text = await render_template(page.template, page=page, actor=actor, **told)
    body = await edge.outward(asked, text.encode(), is_html=True)
    headers = {"Cache-Control": "private, no-cache"}
    return Response(body, 200, headers, content_type="text/html; charset=utf-8")


async def refused(error: DarkroomError, actor: Actor | None) -> Response:
    """The page that tells what went wrong."""
    problem = problems.of(error)
    body = await render_template("problem.html", problem=problem, page=None, actor=actor)
    return Response(body, problem.status, content_type="text/html; charset=utf-8")


# --- how values are shown ----------------------------------------------------------------------


def size(count_of_bytes: float) -> str:
    """Bytes as people say them, in powers of 1000."""
    value = float(count_of_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"


def count(number: int) -> str:
    """A number with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def day(moment: str | None) -> str:
    """The day of an ISO moment: `5 July 2023`."""
    if not moment:
        return ""
    at = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return f"{at.day} {at:%B %Y}"


def left(seconds: float) -> str:
    """How much longer, as people say it."""
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def ago(moment: str | None) -> str:
    """How long ago, in one word and a number."""
    if not moment:
        return ""
    seconds = time.time() - datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"
