"""`darkroom files`: move, rename, copy and tag files of the library, many at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.service.batch import BatchResult, ItemResult, Side
    from pipeline.service.requests import Operation

EXIT_SOME_LEFT = 1
Callback = Callable[..., Any]


@click.group("files")
def COMMAND() -> None:
    """Move, rename, copy and tag files of the library, many at a time.

    FILES are ids (darkroom find --json), paths below the library, or whole paths in it. What
    belongs to a photo (its video, RAW, sidecars) goes with it. With --dry-run you see what would
    happen and nothing is touched; `darkroom undo` reverses what was done.

    \b
    Examples:
      darkroom files move 2023/2023-07/IMG_1.jpg --to Holidays/2023 --dry-run
      darkroom files rename 2023/2023-07/IMG_1.jpg --template "{taken:%Y-%m-%d} {name}"
      darkroom files copy 2023/2023-07/IMG_1.jpg --to /media/stick
      darkroom files tag 2023/2023-07/IMG_1.jpg --add beach --add "Aunt Ada"
      darkroom files kinds ~/Downloads

    To delete, put files into the trash: darkroom trash put.
    """


def _over_files(command: Callback) -> Callback:
    """The arguments that every operation has."""
    for decorate in (
        click.argument("files", nargs=-1, required=True),
        click.option("--dry-run", is_flag=True, help="Show what would happen; touch nothing."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object with all results."),
        click.pass_obj,
    ):
        command = decorate(command)
    return command


@COMMAND.command("move")
@click.option("--to", required=True, metavar="FOLDER", help="A folder below the library.")
@_over_files
def move(home: Path, files: tuple[str, ...], to: str, dry_run: bool, as_json: bool) -> int:
    """Move FILES into another folder of the library; their names stay."""
    from pipeline.service.requests import Move

    return _run(home, files, Move(to), dry_run=dry_run, as_json=as_json)


@COMMAND.command("rename")
@click.option("--template", required=True, help="As in the settings; without folders: in place.")
@_over_files
def rename(home: Path, files: tuple[str, ...], template: str, dry_run: bool, as_json: bool) -> int:
    """Give FILES other names by a template, such as "{taken:%Y-%m-%d} {name}"."""
    from pipeline.service.requests import Rename

    return _run(home, files, Rename(template), dry_run=dry_run, as_json=as_json)


@COMMAND.command("copy")
@click.option(
    "--to",
    required=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True),
    help="An existing folder outside Darkroom.",
)
@_over_files
def copy(home: Path, files: tuple[str, ...], to: Path, dry_run: bool, as_json: bool) -> int:
    """Copy FILES out of the library: read back, compared, never over another file.

    What lies there already with the same bytes is not copied again. Copies are yours: undo does not
    touch them.
    """
    from pipeline.service.requests import Copy

    return _run(home, files, Copy(to), dry_run=dry_run, as_json=as_json)


@COMMAND.command("tag")
@click.option("--add", multiple=True, metavar="TAG", help="A tag to give; may be repeated.")
@click.option("--remove", multiple=True, metavar="TAG", help="A tag to take away.")
@_over_files
def tag(
    home: Path,
    files: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Give FILES tags, or take tags away; `darkroom find TAG` finds them."""
    from pipeline.service.requests import Retag

    return _run(home, files, Retag(add, remove), dry_run=dry_run, as_json=as_json)


@COMMAND.command("kinds")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all paths.")
def kinds(directory: Path, as_json: bool) -> None:
    """Tell photos, videos, documents and audio in any DIRECTORY by content; read-only."""
    from pipeline.service import categories

    found = categories.by_content(directory)
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, paths in found.items():
        click.echo(f"{name} ({len(paths):,})")
        for path in paths:
            click.echo(f"  {wording.path(path)}")


def _run(
    home: Path, files: tuple[str, ...], operation: Operation, *, dry_run: bool, as_json: bool
) -> int:
    from bot.main import change, look
    from pipeline.service import batch

    run = look if dry_run else change
    result = run(
        home, lambda actor, core: batch.run(actor, core, files, operation, dry_run=dry_run)
    )
    click.echo(json.dumps(asdict(result)) if as_json else _story(result))
    return EXIT_SOME_LEFT if result.failed else 0


def _story(result: BatchResult) -> str:
    done = wording.count(len(result.items) - len(result.failed), "file")
    lines = [_line(item) for item in result.items]
    if result.dry_run:
        lines.append(f"{done} would be done, {len(result.failed)} not. Nothing was touched.")
    else:
        lines.append(f"{done} done, {len(result.failed)} left as they are.")
    if result.job_id is not None:
        lines.append(f"Changed your mind? darkroom undo {result.job_id}")
    return "\n".join(lines)


def _line(item: ItemResult) -> str:
    if not item.ok:
        return f"left as it is: {wording.path(item.file)}: {item.reason}"
    if item.before == item.after:
        return f"as it was: {wording.path(item.file)}"
    named = f"{wording.path(item.file)}: " if isinstance(item.after, tuple) else ""
    return f"{named}{_side(item.before)}  ->  {_side(item.after)}"


def _side(side: Side) -> str:
    if isinstance(side, tuple):
        return wording.path(", ".join(side)) or "no tags"
    if isinstance(side, Mapping):
        return ", ".join(f"{name} {value}" for name, value in side.items())
    return wording.path(side or "the trash")
