"""`darkroom albums`: albums, and what is in them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor
    from pipeline.service.albums import Added, Seen


@click.group("albums", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """Put files into albums. A file in an album stays where it lies.

    Lending albums to people and teams, comments and favourites are on the dashboard.

    \b
    Examples:
      darkroom albums make "Summer 2023"
      darkroom albums add 0190... place:rome 2023
      darkroom albums delete 0190...
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@COMMAND.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_(home: Path, as_json: bool = False) -> None:
    """The household's albums, the newest first."""
    from bot.main import look
    from pipeline.service import albums

    found = look(home, lambda actor, core: albums.listing(actor, core, limit=10_000))
    for one in found:
        click.echo(json.dumps(asdict(one.album)) if as_json else _line(one))
    if not found and not as_json:
        click.echo("There are no albums yet.")


@COMMAND.command("make")
@click.argument("title")
@click.pass_obj
def make(home: Path, title: str) -> None:
    """Make an album called TITLE; its id is printed."""
    from bot.main import change
    from pipeline.service import albums
    from pipeline.service.answers import Words

    made = change(home, lambda actor, core: albums.make(actor, core, Words(title)))
    click.echo(made.album.id)


@COMMAND.command("add", context_settings={"ignore_unknown_options": True})
@click.argument("album")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def add(home: Path, album: str, words: tuple[str, ...]) -> None:
    """Put the files that WORDS find (as in darkroom find) into ALBUM."""
    from bot.main import change
    from pipeline.finding.language import joined
    from pipeline.service import albums, finding

    async def run(actor: Actor, core: Core) -> Added:
        query = finding.query_of(core, joined(words))
        return await albums.add(actor, core, album, await finding.ids(actor, core, query))

    added = change(home, run)
    click.echo(f"{wording.count(added.added, 'file')} came in.")


@COMMAND.command("delete")
@click.argument("album")
@click.pass_obj
def delete(home: Path, album: str) -> None:
    """Delete ALBUM; its files stay where they are."""
    from bot.main import change
    from pipeline.service import albums

    change(home, lambda actor, core: albums.delete(actor, core, album))
    click.echo(f"Deleted. Changed your mind? darkroom albums restore {album}")


@COMMAND.command("restore")
@click.argument("album")
@click.pass_obj
def restore(home: Path, album: str) -> None:
    """Bring a deleted ALBUM back, with all that was in it."""
    from bot.main import change
    from pipeline.service import albums

    click.echo(_line(change(home, lambda actor, core: albums.restore(actor, core, album))))


def _line(one: Seen) -> str:
    album = one.album
    new = f"  ({album.new_files:,} new)" if album.new_files else ""
    return f"{album.id}  {wording.path(album.title):<30}  {wording.count(album.files, 'file')}{new}"
