"""`darkroom find`: what is in the library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording
from pipeline.model import Category, FileState

if TYPE_CHECKING:
    from pipeline.state.files import FileRow


@click.command("find")
@click.argument("words", nargs=-1)
@click.option("--kind", type=click.Choice([c.value for c in Category]), help="Only this kind.")
@click.option("--state", type=click.Choice([s.value for s in FileState]), help="Only this state.")
@click.option(
    "--since", metavar="DATE", help="Taken on or after this day: 2023, 2023-07, 2023-07-14."
)
@click.option("--until", metavar="DATE", help="Taken on or before this day, month or year.")
@click.option("--limit", default=50, show_default=True, help="How many to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def COMMAND(
    home: Path, /, words: tuple[str, ...], limit: int, as_json: bool, **only: str | None
) -> None:
    """Show what is in the library, newest first.

    WORDS are looked for in names, titles, cameras and places; all of them must occur. A year such
    as 2023 or a month such as 2023-07 means "taken then".

    \b
    Examples:
      darkroom find beach 2023
      darkroom find --kind video --since 2024-06
      darkroom find --state rejected         what was not taken, and why
    """
    from bot.main import look
    from pipeline.service import files

    query = files.query_of(words, **only)
    found = look(home, lambda actor, core: files.find(actor, core, query, limit))
    for row in found:
        click.echo(json.dumps(files.as_json(row)) if as_json else _line(row))
    if not found and not as_json:
        click.echo("Nothing found.")


def _line(row: FileRow) -> str:
    taken = (row.taken_at or "")[:16].replace("T", " ")
    where = row.path or row.source_path
    detail = ", ".join(part for part in (row.camera, row.place, row.reason) if part)
    return f"{taken:<17}{wording.path(where)}" + (f"  ({wording.path(detail)})" if detail else "")
