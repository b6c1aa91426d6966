"""`darkroom undo`: reverse a whole run."""

from __future__ import annotations

from pathlib import Path

import click

from bot.console import wording


@click.command("undo")
@click.argument("job")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def COMMAND(home: Path, job: str, yes: bool) -> None:
    """Reverse everything JOB did, in reverse order.

    Copies it placed go to the trash (never away at once); files it moved go back to where they
    came from, if that place is free. Undoing twice changes nothing.
    """
    from bot.main import change, look
    from pipeline.service import jobs

    if not yes:
        count = look(home, lambda actor, core: jobs.undo_count(actor, core, job))
        click.confirm(f"Reverse {wording.count(count, 'change')} of this run?", abort=True)
    undone = change(home, lambda actor, core: jobs.undo(actor, core, job))
    click.echo(f"Reversed {wording.count(undone.reversed, 'change')}.")
    for one in undone.left:
        click.echo(f"  left as it is: {one.file_id}: {one.error.message}")
