"""`darkroom serve`: run until told to stop."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("serve")
@click.option("--verbose", is_flag=True, help="Log every step, not only what matters.")
@click.pass_obj
def COMMAND(home: Path, verbose: bool) -> int:
    """Watch the inbox and the configured folders, keep the schedule, until told to stop.

    Drop files into the inbox; a file is taken when it has not changed for a while. Ctrl-C (or
    SIGTERM) finishes the file at hand and stops; a second one stops at once. Either is safe.
    """
    from bot.main import serve

    return serve(home, verbose=verbose)
