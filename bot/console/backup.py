"""`darkroom backup` and the snapshots it makes."""

from __future__ import annotations

from pathlib import Path

import click

from bot.console import wording


@click.group("backup", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """Take a snapshot of the database now: the map of your library.

    Snapshots are also taken every night; 7 daily and 4 weekly ones are kept in state/snapshots.
    Your photos are plain files in the library folder: copy that folder as you like.
    """
    if context.invoked_subcommand is not None:
        return
    from bot.main import change
    from pipeline.service import backup

    snapshot = change(context.obj, backup.take)
    click.echo(f"Snapshot {wording.path(snapshot.path)} ({wording.size(snapshot.bytes)}).")


@COMMAND.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """The snapshots there are, newest first."""
    from bot.main import look
    from pipeline.service import backup

    snapshots = look(home, backup.listing)
    for snapshot in snapshots:
        click.echo(f"{snapshot.path.name}  {wording.size(snapshot.bytes)}")
    if not snapshots:
        click.echo("No snapshot yet. Take one: darkroom backup")
