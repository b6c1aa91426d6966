"""`darkroom dupes`: the same file twice, and pictures that look alike."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from bot.console import wording


@click.group("dupes", invoke_without_command=True)
@click.option("--similar", is_flag=True, help="Pictures that look alike, instead of equal files.")
@click.option("--limit", default=50, show_default=True, help="How many groups to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per group.")
@click.pass_context
def COMMAND(context: click.Context, similar: bool, limit: int, as_json: bool) -> None:
    """Show duplicates; nothing is ever removed by itself.

    Equal files are stored once. Look-alikes are suggestions: each group proposes a keeper and says
    why; you decide, and a decision is remembered.

    \b
    Examples:
      darkroom dupes
      darkroom dupes --similar
      darkroom dupes decide FILE OTHER different
      darkroom dupes scan ~/Pictures /mnt/old       equal files in any folders, read-only
    """
    if context.invoked_subcommand is not None:
        return
    from bot.main import with_core
    from pipeline.service import duplicates

    home: Path = context.obj
    read = duplicates.similar if similar else duplicates.exact
    groups = with_core(home, lambda core, actor: read(actor, core, limit), reading=True)
    for group in groups:
        click.echo(json.dumps(asdict(group)) if as_json else _paragraph(group))
    if not groups and not as_json:
        click.echo("No look-alikes." if similar else "No duplicates.")


@COMMAND.command("decide")
@click.argument("file")
@click.argument("other")
@click.argument("decision", type=click.Choice(["same", "different"]))
@click.pass_obj
def decide(home: Path, file: str, other: str, decision: str) -> None:
    """Remember whether two look-alikes are the same picture; the pair is not asked about again."""
    from bot.main import with_core
    from pipeline.service import duplicates

    with_core(home, lambda c, actor: duplicates.decide(actor, c, file, other, decision))
    click.echo("Remembered.")


@COMMAND.command("scan")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per group.")
def scan(paths: tuple[Path, ...], as_json: bool) -> None:
    """Find equal files in any folders; read-only, needs no home."""
    from pipeline.library import exact

    wasted = 0
    for group in exact.find_identical(paths):
        wasted += group.size * (len(group.paths) - 1)
        names = [str(path) for path in group.paths]
        if as_json:
            click.echo(json.dumps({"size": group.size, "paths": names}))
        else:
            click.echo("\n".join([*map(wording.path, names), ""]))
    if not as_json:
        click.echo(f"{wording.size(wasted)} are stored more than once.")


def _paragraph(group: DuplicateGroup) -> str:
    lines = [wording.count(len(group.members), "file")]
    for member in group.members:
        mark = "keep" if member.is_keeper else "    "
        why = f"  ({', '.join(member.reasons)})" if member.reasons else ""
        lines.append(f"  {mark}  {member.file_id}  {wording.path(member.path)}{why}")
    return "\n".join(lines)
