"""`darkroom blur`: copies in which faces cannot be recognised."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import making
from bot.console.making import Chosen

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor, Json


@click.command("blur")
@making.chooses_files
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="The folder outside Darkroom that the copies go to.")  # fmt: skip
@click.option("--but-known", is_flag=True, help="Leave people who have a name visible.")
@click.option("--metadata", type=click.Choice(["keep", "private", "none"]), default="private",
              show_default=True, help="What the copy may tell besides the picture.")  # fmt: skip
@making.brings_bundles
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file.")
@click.pass_obj
def COMMAND(  # noqa: PLR0913, PLR0917 - one parameter per option
    home: Path,
    files: tuple[str, ...],
    query: str | None,
    into: Path,
    but_known: bool,
    metadata: str,
    alone: bool,
    as_json: bool,
) -> int:
    """Make copies of photos and films in which faces are blurred for good.

    Darkroom looks for faces in the copy again, until it finds none. Thumbnails and films inside the
    file, which would still show them, are left out. In films every face is followed and hidden, the
    known ones too; their sound stays as it is: voices are not changed. "private" metadata has no
    place, owner or author. What belongs to a file goes along with it. The originals are not
    touched.

    \b
    Examples:
      darkroom blur party.mp4 --into ~/for-the-school
      darkroom blur 2023/2023-07/party.jpg --into ~/for-the-school
      darkroom blur --find "tag:football" --but-known --into ~/for-the-club
    """
    from bot.main import work
    from pipeline.service.renditions import Order

    wish: dict[str, Json] = {"faces": "others" if but_known else "all", "metadata": metadata}

    async def run(actor: Actor, core: Core) -> int:
        rows = await making.rows_of(actor, core, Chosen(files, query))
        order = Order("blur", wish)
        orders = [(rows, order)]
        if not alone:
            orders = await making.together(actor, core, rows, order, as_json=as_json)
        return await making.carry_out(actor, core, orders, into=into, as_json=as_json)

    return work(home, run)
