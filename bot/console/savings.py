"""`darkroom savings`: what smaller copies saved."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from bot.console import wording


@click.command("savings")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per kind of copy.")
@click.pass_obj
def COMMAND(home: Path, as_json: bool) -> None:
    """Show what was made of files so far, and how much room it saved.

    What a copy saves counts as freed once it stands for its original (--replace); the original
    itself goes when its time in the trash is over.
    """
    from bot.main import look
    from pipeline.service import renditions

    found = look(home, renditions.savings)
    for one in found:
        if as_json:
            click.echo(json.dumps(asdict(one)))
            continue
        sizes = f"{wording.size(one.bytes_before)} -> {wording.size(one.bytes_after)}"
        click.echo(
            f"{one.stage:<10} {wording.count(one.made, 'copy', 'copies')}, {sizes};"
            f" {one.skipped:,} left as they are; {one.replaced:,} stand for their originals,"
            f" freeing {wording.size(one.freed)}"
        )
    if not found and not as_json:
        click.echo("Nothing was made yet. darkroom optimise --help tells how.")
