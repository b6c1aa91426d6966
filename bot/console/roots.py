"""`darkroom roots`: the folders Darkroom watches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor
    from pipeline.service.roots import WatchedRoot


@click.group("roots", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """List the watched folders and how they are.

    A folder that is offline or asking is left alone: nothing in it counts as deleted. More can be
    named in darkroom.toml, see the user guide, or chosen here.

    \b
    Examples:
      darkroom roots add /media/card
      darkroom roots add ~/Phone --kind managed --take move
      darkroom roots remove ROOT
    """
    if context.invoked_subcommand is not None:
        return
    from bot.main import look
    from pipeline.service import roots

    for found in look(context.obj, roots.listing):
        click.echo(_line(found))


@COMMAND.command("add")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(["foreign", "managed"]), default="foreign",
              show_default=True, help="foreign: Darkroom never writes there.")  # fmt: skip
@click.option("--take", type=click.Choice(["copy", "move", "index"]), default="copy",
              show_default=True, help="Copy or move it in, or index it.")  # fmt: skip
@click.pass_obj
def add(home: Path, folder: Path, kind: str, take: str) -> None:
    """Have FOLDER watched by `darkroom serve`."""
    from bot.main import change
    from pipeline.model import RootKind, Take
    from pipeline.service import roots

    async def run(actor: Actor, core: Core) -> WatchedRoot:
        kinds = RootKind(kind), Take(take)
        return await roots.choose(actor, core, folder, kind=kinds[0], take=kinds[1])

    click.echo(_line(change(home, run)))


@COMMAND.command("remove")
@click.argument("root")
@click.pass_obj
def remove(home: Path, root: str) -> None:
    """Watch ROOT no more. Nothing in it, and nothing taken from it, is touched."""
    from bot.main import change
    from pipeline.service import roots

    change(home, lambda actor, core: roots.leave(actor, core, root))
    click.echo("It is watched no more; nothing was touched.")


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


def _line(found: WatchedRoot) -> str:
    reason = f"  {found.reason}" if found.reason else ""
    return (
        f"{found.root.id}  {found.source:<8} {found.root.kind:<8} {found.root.take:<6}"
        f" {found.state:<8} {wording.path(found.root.path)}{reason}"
    )
