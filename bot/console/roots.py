"""`darkroom roots`: the folders Darkroom watches."""

from __future__ import annotations

from pathlib import Path

import click

from bot.console import wording


@click.group("roots", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """List the watched folders and how they are.

    A folder that is offline or asking is left alone: nothing in it counts as deleted. Folders are
    configured in darkroom.toml, see the user guide.
    """
    if context.invoked_subcommand is not None:
        return
    from bot.main import look
    from pipeline.service import roots

    for stored in look(context.obj, roots.listing):
        reason = f"  {stored.reason}" if stored.reason else ""
        click.echo(
            f"{stored.root.id}  {stored.root.kind:<8} {stored.root.take:<6} {stored.state:<8}"
            f" {wording.path(stored.root.path)}{reason}"
        )


@COMMAND.command("confirm")
@click.argument("root")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def confirm(home: Path, root: str, yes: bool) -> None:
    """Say that the files missing from ROOT were really removed; until then nothing is marked."""
    from bot.main import change
    from pipeline.service import roots

    if not yes:
        click.confirm("Really removed? They will be marked as missing, not deleted.", abort=True)
    count = change(home, lambda actor, core: roots.confirm(actor, core, root))
    click.echo(f"{wording.count(count, 'file')} marked as missing.")
