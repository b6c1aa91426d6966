"""`darkroom dupes`: the same file twice, and pictures that look alike."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.service.answers import Review
    from pipeline.service.duplicates import Decision


@click.group("dupes", invoke_without_command=True)
@click.option("--similar", is_flag=True, help="Pictures that look alike, instead of equal files.")
@click.option("--bursts", is_flag=True, help="Bursts, each with its best frame, instead.")
@click.option("--limit", default=50, show_default=True, help="How many groups to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per group.")
@click.pass_context
def COMMAND(context: click.Context, similar: bool, bursts: bool, limit: int, as_json: bool) -> None:
    """Show duplicates; nothing is ever removed by itself.

    Equal files are stored once. Look-alikes are suggestions: each group proposes a keeper and says
    why; you decide, and a decision is remembered. Frames of a burst are no duplicates; the best of
    them is named, by sharpness, exposure and faces.

    \b
    Examples:
      darkroom dupes
      darkroom dupes --similar
      darkroom dupes --bursts
      darkroom dupes decide FILE OTHER different
      darkroom dupes scan ~/Pictures /mnt/old       equal files in any folders, read-only
    """
    if context.invoked_subcommand is not None:
        return
    from bot.main import look
    from pipeline.service import duplicates

    home: Path = context.obj
    read = duplicates.alike if similar else duplicates.exact
    read = duplicates.series if bursts else read
    groups = look(home, lambda actor, core: read(actor, core, limit))
    for group in groups:
        click.echo(json.dumps(asdict(group)) if as_json else _paragraph(group))
    if not groups and not as_json:
        click.echo("No bursts." if bursts else "No look-alikes." if similar else "No duplicates.")


@COMMAND.command("decide")
@click.argument("file")
@click.argument("other")
@click.argument("decision", type=click.Choice(["same", "different"]))
@click.pass_obj
def decide(home: Path, file: str, other: str, decision: Decision) -> None:
    """Remember whether two look-alikes are the same picture; the pair is not asked about again."""
    from bot.main import change
    from pipeline.service import duplicates

    change(home, lambda actor, core: duplicates.decide(actor, core, file, other, decision))
    click.echo("Remembered.")


@COMMAND.command("scan")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per group.")
def scan(paths: tuple[Path, ...], as_json: bool) -> None:
    """Find equal files in any folders; read-only, needs no home."""
    from bot.console import scanning
    from pipeline.library import exact

    if not as_json:
        sys.exit(scanning.run(paths))
    for group in exact.find_identical(paths):
        names = [str(path) for path in group.paths]
        click.echo(json.dumps({"size": group.size, "paths": names}))


def _paragraph(review: Review) -> str:
    lines = [
        f"{wording.count(len(review.members), 'file')}, "
        f"keeping one would free {wording.size(review.reclaimable)}"
    ]
    for member in review.members:
        is_keeper = member.file_id == review.keeper.file_id
        why = f"  ({', '.join(review.keeper.reasons)})" if is_keeper else ""
        name = wording.path(member.path or member.source)
        lines.append(f"  {'keep' if is_keeper else '    '}  {member.file_id}  {name}{why}")
    return "\n".join([*lines, ""])
