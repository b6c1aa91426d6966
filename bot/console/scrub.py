"""`darkroom scrub`: copies that do not tell where they were made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import making
from bot.console.making import Chosen
from pipeline.errors import Invalid

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor, Json


@click.command("scrub")
@making.chooses_files
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="The folder outside Darkroom that the copies go to.")  # fmt: skip
@click.option("--round-km", type=click.FloatRange(0.1, 1000), metavar="KM",
              help="Keep the place, rounded to squares of so many kilometres.")  # fmt: skip
@click.option("--zones", is_flag=True,
              help="Only remove places inside the home zones of the settings.")  # fmt: skip
@click.option("--owner", is_flag=True, help="Also remove owners' names, serial numbers and ids.")
@click.option("--artist", is_flag=True, help="Also remove authors' names.")
@making.brings_bundles
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file.")
@click.pass_obj
def COMMAND(  # noqa: PLR0913, PLR0917 - one parameter per option
    home: Path,
    files: tuple[str, ...],
    query: str | None,
    into: Path,
    round_km: float | None,
    zones: bool,
    owner: bool,
    artist: bool,
    alone: bool,
    as_json: bool,
) -> int:
    """Make copies of photos and videos that do not tell where they were made.

    The copies show exactly what the originals show; positions are gone from every place where
    cameras and programs write them. What belongs to a file goes along: the film of a Live Photo,
    the RAW file, edits, XMP sidecars. A file that cannot be scrubbed safely is refused with a
    reason, never half done. The originals are not touched.

    \b
    Examples:
      darkroom scrub 2023/2023-07/beach.jpg --into ~/for-the-club
      darkroom scrub --find "tag:garden" --zones --owner --into /tmp/out
    """
    from bot.main import work
    from pipeline.service.renditions import Order

    if round_km is not None and zones:
        raise Invalid("Places are either rounded or removed inside zones, not both.")

    async def run(actor: Actor, core: Core) -> int:
        rows = await making.rows_of(actor, core, Chosen(files, query))
        wish: dict[str, Json] = {"owner": owner, "artist": artist}
        wish |= _location(core, round_km, is_zones=zones)
        order = Order("scrub", wish)
        orders = [(rows, order)]
        if not alone:
            orders = await making.together(actor, core, rows, order, as_json=as_json)
        return await making.carry_out(actor, core, orders, into=into, as_json=as_json)

    return work(home, run)


def _location(core: Core, round_km: float | None, *, is_zones: bool) -> dict[str, Json]:
    if round_km is not None:
        return {"location": "round", "round_km": round_km}
    if not is_zones:
        return {"location": "all"}
    zones = [zone.model_dump() for zone in core.settings.privacy.home_zones]
    if not zones:
        raise Invalid("There are no home zones.", hint="Name them in darkroom.toml: [privacy].")
    return {"location": "zones", "zones": zones}
