"""`darkroom tags`: which tags there are, and writing them beside the files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor
    from pipeline.service.answers import Origin
    from pipeline.service.tags import Export, Exported

EXIT_SOME_LEFT = 1


@click.group("tags")
def COMMAND() -> None:
    """Show tags and who says so, and write them beside the files for other programs.

    Tags come from a person (darkroom files tag), from the file and its sidecars, and from models.
    What a person gave or took away stays so, whatever a model sees later.

    \b
    Examples:
      darkroom tags list
      darkroom tags of 2023/2023-07/IMG_1.jpg
      darkroom tags export --dry-run
      darkroom tags export place:rome 2023
    """


@COMMAND.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def listing(home: Path, as_json: bool) -> None:
    """Every tag, how many files have it, and how many by a person's word."""
    from bot.main import look
    from pipeline.service import tags

    found = look(home, tags.used)
    for one in found:
        who = f"  ({one.by_person:,} by you)" if one.by_person else ""
        line = f"{one.files:>7,}  {wording.path(one.tag)}{who}"
        click.echo(json.dumps(asdict(one)) if as_json else line)
    if not found and not as_json:
        click.echo("There are no tags yet.")


@COMMAND.command("of")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def of(home: Path, file: str, as_json: bool) -> None:
    """The tags of one FILE, and who says so."""
    from bot.main import look
    from pipeline.service import files, tags

    async def run(actor: Actor, core: Core) -> dict[str, Origin]:
        row = await files.one(actor, core, file)
        return await tags.origins(actor, core, row.id)

    found = look(home, run)
    if as_json:
        click.echo(json.dumps({tag: asdict(origin) for tag, origin in found.items()}))
        return
    for tag, origin in found.items():
        click.echo(f"{wording.path(tag):<30}  {_who(origin)}")


@COMMAND.command("export", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--dry-run", is_flag=True, help="Show what would be written; touch nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all results.")
@click.pass_obj
def export(home: Path, words: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Write tags, people, faces and stars into an XMP file beside each file.

    WORDS choose files as in darkroom find; without them all are meant. What other programs wrote
    into a sidecar is kept; one that is replaced goes to the trash; originals are never touched. A
    second run changes nothing, and darkroom undo takes a run back.
    """
    from bot.main import change, look
    from pipeline.finding.language import joined
    from pipeline.service import finding, tags

    async def run(actor: Actor, core: Core) -> Export:
        query = finding.query_of(core, joined(words))
        return await tags.export(actor, core, query, dry_run=dry_run)

    result = (look if dry_run else change)(home, run)
    click.echo(json.dumps(asdict(result)) if as_json else _story(result))
    return EXIT_SOME_LEFT if any(item.action == "left" for item in result.items) else 0


def _story(result: Export) -> str:
    lines = [_line(item) for item in result.items if item.action != "unchanged"]
    count = {name: sum(i.action == name for i in result.items) for name in ("new", "changed")}
    would = "would be " if result.dry_run else ""
    lines.append(f"{count['new']:,} {would}new, {count['changed']:,} {would}changed.")
    if result.dry_run:
        lines.append("Nothing was touched.")
    elif result.job_id is not None:
        lines.append(f"Changed your mind? darkroom undo {result.job_id}")
    return "\n".join(lines)


def _line(item: Exported) -> str:
    if item.action == "left":
        return f"left as it is: {wording.path(item.sidecar)}: {item.reason}"
    return f"{item.action}: {wording.path(item.sidecar)}"


def _who(origin: Origin) -> str:
    if origin.source != "model":
        return "you" if origin.source == "person" else "the file"
    sure = "" if origin.confidence is None else f", {origin.confidence:.0%} sure"
    return f"{origin.model} (version {origin.version}){sure}"
