"""`darkroom optimise`: smaller copies that look the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import making
from bot.console.making import Chosen
from pipeline.model import Category

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor, Json
    from pipeline.service.answers import FileRow
    from pipeline.service.renditions import Order

LANES = ("lossless", "jpeg", "webp", "avif", "heic", "jxl")


@click.command("optimise")
@making.chooses_files
@click.option("--target", type=click.FloatRange(50, 98), help="SSIMULACRA2 that photos must reach.")
@click.option("--lane", type=click.Choice(LANES), default="jpeg", show_default=True,
              help="How photos are made smaller.")  # fmt: skip
@click.option("--codec", type=click.Choice(["hevc", "av1"]), default="hevc", show_default=True,
              help="For videos.")  # fmt: skip
@click.option("--replace", is_flag=True, help="The copy stands for its original from now on.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file.")
@click.pass_obj
def COMMAND(  # noqa: PLR0913, PLR0917 - one parameter per option
    home: Path,
    files: tuple[str, ...],
    query: str | None,
    target: float | None,
    lane: str,
    codec: str,
    replace: bool,
    as_json: bool,
) -> int:
    """Make copies of photos and videos that are smaller and look the same.

    Every copy is measured against its original and checked: it decodes whole, has the same size
    and duration, and says all that the original says. A copy that is not clearly smaller is not
    kept, and nothing is ever made smaller twice.

    Without --replace copies wait in the cache (for sharing and for off-site storage). With it, each
    takes the place of its original, which waits in the trash; `darkroom undo` brings it back.

    \b
    Examples:
      darkroom optimise --find "type:photo before:2022"
      darkroom optimise --find "type:photo" --lane lossless --replace
      darkroom optimise 2023/2023-07/beach.mp4 --codec av1
    """
    from bot.main import work

    wish: dict[str, Json] = {"lane": lane} | ({} if target is None else {"target": target})

    async def run(actor: Actor, core: Core) -> int:
        rows = await making.rows_of(actor, core, Chosen(files, query))
        orders = _orders(rows, wish, {"codec": codec}, replaces=replace)
        return await making.carry_out(actor, core, orders, as_json=as_json)

    return work(home, run)


def _orders(
    rows: list[FileRow], photos: dict[str, Json], videos: dict[str, Json], *, replaces: bool
) -> list[tuple[list[FileRow], Order]]:
    from pipeline.service.renditions import Order

    wanted = (
        (Category.PHOTO, Order("optimise", photos, replaces)),
        (Category.VIDEO, Order("transcode", videos, replaces)),
    )
    chosen = (([row for row in rows if row.category is kind], order) for kind, order in wanted)
    return [(fitting, order) for fitting, order in chosen if fitting]
