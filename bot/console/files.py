"""`darkroom files`: move, rename, copy, tag and edit files of the library, many at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.model import Json
    from pipeline.service.batch import BatchResult, ItemResult, Side
    from pipeline.service.requests import Operation

EXIT_SOME_LEFT = 1
_FIELD = click.Choice(["title", "description", "rating", "taken_at", "position"])
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SPAN = re.compile(r"([+-]?)((?:\d+[dhms])+)")
Callback = Callable[..., Any]


def _seconds(_: click.Context, __: click.Parameter, value: str) -> int:
    """A span of time such as -1h30m; the sign stands before all of it."""
    told = _SPAN.fullmatch(value)
    if told is None:
        raise click.BadParameter(f"{value!r} is no span of time such as 1h, -30m or 2d12h.")
    parts = re.findall(r"(\d+)([dhms])", told[2])
    seconds = sum(int(count) * _UNITS[unit] for count, unit in parts)
    return -seconds if told[1] == "-" else seconds


@click.group("files")
def COMMAND() -> None:
    """Move, rename, copy, tag and edit files of the library, many at a time.

    FILES are ids (darkroom find --json), paths below the library, or whole paths in it. What
    belongs to a photo (its video, RAW, sidecars) goes with it. With --dry-run you see what would
    happen and nothing is touched; `darkroom undo` reverses what was done.

    \b
    Examples:
      darkroom files move 2023/2023-07/IMG_1.jpg --to Holidays/2023 --dry-run
      darkroom files rename 2023/2023-07/IMG_1.jpg --template "{taken:%Y-%m-%d} {name}"
      darkroom files copy 2023/2023-07/IMG_1.jpg --to /media/stick
      darkroom files tag 2023/2023-07/IMG_1.jpg --add beach --add "Aunt Ada"
      darkroom files edit 2023/2023-07/IMG_1.jpg --title "At the lake" --rating 5
      darkroom files shift 2023/2023-07/IMG_1.jpg --by=-1h30m
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


@COMMAND.command("edit")
@click.option("--title", help="What it is called.")
@click.option("--description", help="What there is to say about it.")
@click.option("--rating", type=int, help="Stars, 0 to 5; -1 is a rejected picture.")
@click.option("--taken", metavar="TIME", help="When, such as 2023-10-06T08:30:00+02:00.")
@click.option("--none", multiple=True, metavar="FIELD", type=_FIELD, help="Say that there is none.")
@click.option("--reset", multiple=True, metavar="FIELD", type=_FIELD, help="Take your word back.")
@_over_files
def edit(
    home: Path,
    files: tuple[str, ...],
    none: tuple[str, ...],
    reset: tuple[str, ...],
    *,
    dry_run: bool,
    as_json: bool,
    **said: str | int | None,
) -> int:
    """Say what FILES are called, how good they are, when they were taken.

    What you say stands over what is read of a file, also when it is studied again. FIELD is title,
    description, rating, taken_at or position.
    """
    from pipeline.service.editing import Say

    told = {"taken_at" if name == "taken" else name: value for name, value in said.items()}
    fields = {name: value for name, value in told.items() if value is not None}
    operation = Say({**fields, **dict.fromkeys(none)}, reset)
    return _run(home, files, operation, dry_run=dry_run, as_json=as_json)


@COMMAND.command("shift")
@click.option(
    "--by", required=True, callback=_seconds, metavar="SPAN", help="Such as 1h, -30m, 2d12h."
)
@_over_files
def shift(home: Path, files: tuple[str, ...], by: int, dry_run: bool, as_json: bool) -> int:
    """FILES were taken so much later, or earlier: the camera's clock was wrong."""
    from pipeline.service.editing import Shift

    return _run(home, files, Shift(by), dry_run=dry_run, as_json=as_json)


@COMMAND.command("zone")
@click.option("--to", required=True, metavar="ZONE", help="Such as Europe/Vienna or +02:00.")
@click.option("--keep", type=click.Choice(["clock", "moment"]), default="clock",
              show_default=True, help="What the camera showed, or the moment itself.")  # fmt: skip
@_over_files
def zone(
    home: Path,
    files: tuple[str, ...],
    to: str,
    keep: Literal["clock", "moment"],
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """FILES were taken in this time zone."""
    from pipeline.service.editing import Zone

    return _run(home, files, Zone(to, keep), dry_run=dry_run, as_json=as_json)


@COMMAND.command("place")
@click.option("--at", nargs=2, type=float, metavar="LAT LON", help="Where, in degrees.")
@click.option("--nowhere", is_flag=True, help="Say that there is no place.")
@_over_files
def place(
    home: Path,
    files: tuple[str, ...],
    at: tuple[float, float] | None,
    *,
    nowhere: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """FILES were taken at this place; `files edit --reset position` takes that back."""
    from pipeline.service.editing import Say

    if (at is None) is not nowhere:
        raise click.UsageError("Say where, with --at LAT LON or --nowhere.")
    position = None if at is None else list(at)
    return _run(home, files, Say({"position": position}), dry_run=dry_run, as_json=as_json)


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
    named = f"{wording.path(item.file)}: " if isinstance(item.after, tuple | Mapping) else ""
    return f"{named}{_side(item.before)}  ->  {_side(item.after)}"


def _side(side: Side) -> str:
    if isinstance(side, tuple):
        return wording.path(", ".join(side)) or "no tags"
    if isinstance(side, Mapping):
        return wording.path(", ".join(f"{name} {_value(value)}" for name, value in side.items()))
    return wording.path(side or "the trash")


def _value(value: Json) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "-" if value is None else str(value)
