"""`darkroom trash`: put away, look, take back, empty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.service.trash import Result


@click.group("trash")
def COMMAND() -> None:
    """Put files into the trash, list it, restore from it, purge it.

    Trash is kept for 30 days (setting `library.trash_days`) and only what a person put there is
    ever purged. Photos go together with their videos, RAWs and sidecars.
    """


@COMMAND.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """What is in the trash, and until when it can be restored."""
    from bot.main import look
    from pipeline.service import trash

    entries = look(home, trash.listing)
    for entry in entries:
        until = wording.moment(entry.purge_after)
        click.echo(f"{entry.file_id}  until {until}  {wording.path(entry.origin_path)}")
    if not entries:
        click.echo("The trash is empty.")


@COMMAND.command("put")
@click.argument("files", nargs=-1, required=True)
@click.option("--reason", default="", help="Why; shown in the list.")
@click.pass_obj
def put(home: Path, files: tuple[str, ...], reason: str) -> None:
    """Put FILES (ids, or paths below the library) into the trash, with all that belongs to them."""
    from bot.main import change
    from pipeline.service import trash

    results = change(home, lambda actor, core: trash.put(actor, core, files, reason=reason))
    _tell(results, "in the trash")


@COMMAND.command("restore")
@click.argument("files", nargs=-1, required=True)
@click.pass_obj
def restore(home: Path, files: tuple[str, ...]) -> None:
    """Bring FILES (ids) back to where they were."""
    from bot.main import change
    from pipeline.service import trash

    results = change(home, lambda actor, core: trash.restore(actor, core, files))
    _tell(results, "restored")


@COMMAND.command("purge")
@click.option("--all", "everything", is_flag=True, help="Also what could still be restored.")
@click.option("--dry-run", is_flag=True, help="List exactly what would go; touch nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def purge(home: Path, everything: bool, dry_run: bool, yes: bool) -> None:
    """Empty the trash of what is over its time. This is the only way a file is ever deleted."""
    from bot.main import change, look
    from pipeline.service import trash

    plan = look(home, lambda actor, core: trash.purge_plan(actor, core, everything))
    for entry in plan.entries:
        click.echo(wording.path(entry.origin_path))
    what = f"{wording.count(len(plan.entries), 'file')}, {wording.size(plan.bytes)}"
    if dry_run or not plan.entries:
        click.echo(f"{what} would be deleted. Nothing was touched.")
        return
    if not yes:
        click.confirm(f"Delete {what} for good?", abort=True)
    gone, kept = change(home, lambda actor, core: trash.purge(actor, core, plan))
    for one in kept:
        click.echo(f"kept {one.file_id}: {one.error.message}")
    click.echo(f"Deleted {wording.count(len(gone), 'file')}.")


def _tell(results: Sequence[Result], done: str) -> None:
    from pipeline.service.answers import Renamed

    for one in results:
        if isinstance(one, Renamed):
            click.echo(f"{done}: {wording.path(one.path)}")
        else:
            click.secho(f"left as it is: {one.file_id}: {one.error.message}", fg="yellow")
