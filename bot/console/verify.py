"""`darkroom verify`: re-read the library and compare it with what was recorded."""

from __future__ import annotations

from pathlib import Path

import click

from bot.console import wording

EXIT_FOUND_DAMAGE = 1


@click.command("verify")
@click.option("--share", default=100.0, show_default=True, help="Percent of the library to read.")
@click.pass_obj
def COMMAND(home: Path, share: float) -> int:
    """Read the library again and compare every byte with what was recorded.

    Finds flipped bits and vanished files, tells each once, and touches nothing. When many files are
    missing at once, the disk is more likely gone than the photos: nothing is marked until you
    confirm (darkroom roots confirm).
    """
    from bot.main import change
    from pipeline.service import verify

    found = change(home, lambda actor, core: verify.run(actor, core, share / 100))
    for path in found.altered:
        click.secho(f"altered     {wording.path(path)}", fg="red")
    for path in found.unreadable:
        click.secho(f"unreadable  {wording.path(path)}", fg="yellow")
    if found.asking:
        click.secho(f"{found.asking} Nothing was changed.", fg="yellow")
    click.echo(
        f"{wording.count(found.checked, 'file')} read ({wording.size(found.bytes)}), "
        f"{len(found.altered)} altered, {len(found.unreadable)} not readable."
    )
    return EXIT_FOUND_DAMAGE if found.altered or found.unreadable or found.asking else 0
