"""`darkroom restore`: go back to a snapshot of the database."""

from __future__ import annotations

from pathlib import Path

import click

from bot.console import wording


@click.command("restore")
@click.argument("snapshot", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def COMMAND(home: Path, snapshot: str | None, yes: bool) -> None:
    """Go back to SNAPSHOT (a name from `darkroom backup list`; the newest good one by default).

    The present database is set aside, never deleted; then the library is looked through, so that
    files placed since the snapshot are known again. No photo is touched.
    """
    from bot.main import restore_state

    if not yes:
        click.confirm("Set the present database aside and go back?", abort=True)
    restored = restore_state(home, snapshot)
    click.echo(f"Restored {wording.path(restored.source)}.")
    if restored.set_aside is not None:
        click.echo(f"The former database is in {wording.path(restored.set_aside)}.")
    again = wording.count(restored.readmitted, "file")
    click.echo(f"{again} of the library added again; the next run reads what they show.")
