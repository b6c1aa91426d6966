"""`darkroom find`: what is in the library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording
from pipeline.model import Category, FileState

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor
    from pipeline.service.answers import FileRow
    from pipeline.service.finding import Found


# "-holiday" is a word to leave out, not a row of options.
_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


@click.command("find", context_settings=_SETTINGS)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--kind", type=click.Choice([c.value for c in Category]), help="Only this kind.")
@click.option("--state", type=click.Choice([s.value for s in FileState]), help="Only this state.")
@click.option("--since", metavar="DATE", help="Taken in or after this year, month or day.")
@click.option("--until", metavar="DATE", help="Taken in or before this year, month or day.")
@click.option("--limit", default=50, show_default=True, help="How many to show.")
@click.option("--after", type=int, metavar="N", help="Go on where the last page ended.")
@click.option("--like", metavar="FILE", help="The pictures most like this one, likest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def COMMAND(
    home: Path,
    /,
    words: tuple[str, ...],
    limit: int,
    after: int | None,
    like: str | None,
    as_json: bool,
    **only: str | None,
) -> None:
    """Show what is in the library, newest first.

    WORDS are looked for in people, tags, places, dates, cameras, titles, names and the text in the
    picture; all of them must occur, and the last may be only begun. A minus excludes, OR chooses,
    quotes keep words together.

    \b
    Fields:
      person: tag: place: text: camera: lens: title: name: in:FOLDER
      type:video  is:damaged  rating:>=4  near:48.85,2.35,10km
      before:2020  after:2019-05  date:2021..2023  date:"last summer"

    \b
    Examples:
      darkroom find anna beach 2023
      darkroom find "place:rome -tag:meme type:video before:2020"
      darkroom find 'camera:"iPhone 12" (dog OR cat)'
      darkroom find --like 2023/2023-07/IMG_1.jpg place:rome
      darkroom find --state rejected         what was not taken, and why
    """
    from bot.main import look
    from pipeline.finding.language import joined
    from pipeline.service import files, finding

    async def run(actor: Actor, core: Core) -> Found:
        query = finding.query_of(core, joined(words), **only)
        if like is not None:
            return await finding.like(actor, core, like, query, limit=limit)
        return await finding.find(actor, core, query, limit=limit, after=after)

    found = look(home, run)
    for row in found.rows:
        click.echo(json.dumps(files.as_json(row)) if as_json else _line(row))
    if found.following is not None:
        click.echo(f"There is more: --after {found.following}", err=as_json)
    elif not found.rows and not as_json:
        click.echo("Nothing found.")


def _line(row: FileRow) -> str:
    taken = (row.taken_at or "")[:16].replace("T", " ")
    where = row.path or row.source_path
    detail = ", ".join(part for part in (row.camera, row.place, row.reason) if part)
    return f"{taken:<17}{wording.path(where)}" + (f"  ({wording.path(detail)})" if detail else "")
