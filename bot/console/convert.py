"""`darkroom convert`: copies in another format, or for web pages and browsers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import making
from bot.console.making import Chosen
from pipeline.model import Category
from pipeline.service.requests import FORMATS

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor, Json
    from pipeline.service.answers import FileRow
    from pipeline.service.renditions import Order

WEB, _WEB_FORMAT, _WEB_WIDTH = "web", "webp", 2048


@click.command("convert")
@making.chooses_files
@click.option("--to", type=click.Choice((*FORMATS, WEB)), required=True,
              help="The format; “web” is what every browser shows, of films too.")  # fmt: skip
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="The folder outside Darkroom that the copies go to.")  # fmt: skip
@click.option("--target", type=click.FloatRange(50, 98), help="SSIMULACRA2 to be reached (85).")
@click.option("--quality", type=click.IntRange(1, 100), help="The encoder's own, instead.")
@click.option("--lossless", is_flag=True, help="The same pixels, or the same coded picture.")
@click.option("--width", "widths", type=click.IntRange(16, 16_384), multiple=True,
              help="A copy of this width for web pages; may be given several times.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object per copy.")
@click.pass_obj
def COMMAND(  # noqa: PLR0913, PLR0917 - one parameter per option
    home: Path,
    files: tuple[str, ...],
    query: str | None,
    to: str,
    into: Path,
    target: float | None,
    quality: int | None,
    lossless: bool,
    widths: tuple[int, ...],
    as_json: bool,
) -> int:
    """Make copies of photos in another format, with dates, places and colours kept.

    Moving pictures keep all frames and their timing. Copies of a --width are for web pages: in sRGB
    and without metadata. The originals are not touched.

    With --to web photos become WebP of at most 2048 pixels across (or each --width), and films
    H.264 with AAC at 720p that begins to play at once; HDR is brought to ordinary screens, and
    nothing tells where or by whom they were taken.

    \b
    Examples:
      darkroom convert --find "tag:garden" --to web --into ~/site
      darkroom convert --find "type:photo 2023" --to jpeg --into ~/for-grandma
      darkroom convert beach.jpg --to avif --width 640 --width 1280 --into ~/site/img
      darkroom convert --find "tag:scan" --to jxl --lossless --into ~/scans
    """
    from bot.main import work
    from pipeline.service.renditions import Order

    told: dict[str, Json] = {"target": target, "quality": quality}
    wish = {"to": to} | {name: value for name, value in told.items() if value is not None}
    wish |= {"lossless": True} if lossless else {}
    wish |= {"widths": sorted(set(widths))} if widths else {}

    async def run(actor: Actor, core: Core) -> int:
        rows = await making.rows_of(actor, core, Chosen(files, query))
        if to == WEB:
            orders = _for_the_web(rows, wish)
        else:
            orders = [(rows, Order("convert", wish))] if rows else []
        return await making.carry_out(actor, core, orders, into=into, as_json=as_json)

    return work(home, run)


def _for_the_web(rows: list[FileRow], wish: dict[str, Json]) -> list[tuple[list[FileRow], Order]]:
    """Photos in a format that browsers show, films as their web copies."""
    from pipeline.service.renditions import Order

    photos = {**wish, "to": _WEB_FORMAT, "widths": wish.get("widths") or [_WEB_WIDTH]}
    wanted = ((Category.PHOTO, Order("convert", photos)), (Category.VIDEO, Order("proxy", {})))
    chosen = (([row for row in rows if row.category is kind], order) for kind, order in wanted)
    return [(fitting, order) for fitting, order in chosen if fitting]
