"""What the commands share that make something of files: which files, progress, and the story."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.console import progress, wording
from pipeline.errors import DarkroomError, Invalid

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor
    from pipeline.service.answers import FileRow, Rendition
    from pipeline.service.renditions import Order

EXIT_ALL_WELL, EXIT_SOME_FAILED = 0, 1
_SHOWN = 5  # reasons told one by one
_Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which files a person means: named ones, or all that a search finds."""

    names: tuple[str, ...]
    query: str | None


def chooses_files(command: _Command) -> _Command:
    """The argument FILES and the option --find."""
    files = click.argument("files", nargs=-1)
    find = click.option(
        "--find", "query", metavar="QUERY", help="All files that this search finds, see `find`."
    )
    return files(find(command))


def brings_bundles(command: _Command) -> _Command:
    """The option --alone, for commands whose copies are for others."""
    option = click.option(
        "--alone", is_flag=True,
        help="Only the files named, without what belongs to them (film, RAW, sidecars).",
    )  # fmt: skip
    return option(command)


async def together(
    actor: Actor, core: Core, rows: Sequence[FileRow], order: Order, *, as_json: bool
) -> list[tuple[list[FileRow], Order]]:
    """The order for the files and for what belongs to them; says who joined and who stays."""
    from pipeline.service import bundles

    if not rows:
        return []
    found = await bundles.together(actor, core, rows, order.stage)
    if as_json:
        for row in found.behind:
            told = {"file_id": row.id, "outcome": "left behind", "source": row.path}
            click.echo(json.dumps(told))
    else:
        _tell_names("Going along, because they belong together", found.joined)
        _tell_names("Left behind, because no such copy can be made of them", found.behind)
    return [(list(found.rows), order)]


def _tell_names(what: str, rows: Sequence[FileRow]) -> None:
    if not rows:
        return
    names = [wording.path((row.path or row.source_path).rpartition("/")[2]) for row in rows]
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    click.echo(f"{what}: {', '.join(names[:_SHOWN])}{more}")


async def rows_of(actor: Actor, core: Core, chosen: Chosen) -> list[FileRow]:
    """The files, in the order named or newest first. Raises `Invalid` when none is named."""
    from pipeline.service import files, finding

    if chosen.query is None:
        if not chosen.names:
            raise Invalid("No file is named.", hint="Name FILES, or choose with --find QUERY.")
        return await files.resolve(actor, core, chosen.names)
    found = await finding.ids(actor, core, finding.query_of(core, chosen.query))
    return await files.resolve(actor, core, found)


async def carry_out(
    actor: Actor,
    core: Core,
    orders: Sequence[tuple[list[FileRow], Order]],
    *,
    into: Path | None = None,
    as_json: bool = False,
) -> int:
    """Run the orders one after the other, tell what came of them; the exit status."""
    from pipeline.service import process, renditions

    if not orders:
        raise Invalid("None of these files is of a kind that this can be done to.")
    failed = 0
    for rows, order in orders:
        started = await renditions.start(actor, core, rows, order)
        steps = process.follow(actor, core, started.job_id)
        await progress.show(steps, quiet=as_json, bars=progress.MAKING)
        made = await renditions.made(actor, core, started.job_id)
        failures = await renditions.failures(actor, core, started.job_id)
        failed += len(failures)
        names = {row.id: row.path or row.source_path for row in rows}
        if into is not None:
            failed += await _export(actor, core, made, into, as_json=as_json)
        if as_json:
            _tell_json(started.job_id, made, failures, names)
        else:
            _tell(started.job_id, made, failures, names, order, is_copying=into is not None)
    return EXIT_SOME_FAILED if failed else EXIT_ALL_WELL


async def _export(
    actor: Actor, core: Core, made: Sequence[Rendition], folder: Path, *, as_json: bool
) -> int:
    from pipeline.service import renditions

    ready = [one for one in made if one.outcome == "made" or renditions.is_as_is(one)]
    results = await renditions.export(actor, core, ready, folder)
    for result in results:
        if isinstance(result, DarkroomError):
            click.secho(str(result), err=True, fg="red")
        elif not as_json:
            click.echo(wording.path(result))
    return sum(isinstance(result, DarkroomError) for result in results)


def _tell_json(
    job_id: str, made: Sequence[Rendition], failures: dict[str, str], names: dict[str, str]
) -> None:
    for one in made:
        click.echo(json.dumps(asdict(one) | {"source": names.get(one.file_id)}))
    for file_id, reason in failures.items():
        told = {"file_id": file_id, "job_id": job_id, "outcome": "failed", "reason": reason}
        click.echo(json.dumps(told | {"source": names.get(file_id)}))


def _tell(
    job_id: str,
    made: Sequence[Rendition],
    failures: dict[str, str],
    names: dict[str, str],
    order: Order,
    *,
    is_copying: bool,
) -> None:
    from pipeline.service import renditions

    ready = [one for one in made if one.outcome == "made"]
    before = sum(one.bytes_before for one in ready)
    after = sum(one.bytes_after or 0 for one in ready)
    if ready:
        sizes = f"{wording.size(before)} -> {wording.size(after)}"
        click.echo(f"{wording.count(len(ready), 'copy', 'copies')} made, {sizes}.")
    as_is = [one for one in made if is_copying and renditions.is_as_is(one)]
    left = [one for one in made if one.reason and one not in as_is]
    _tell_reasons("copied as they are", {one.file_id: one.reason or "" for one in as_is}, names)
    _tell_reasons("left as they are", {one.file_id: one.reason or "" for one in left}, names)
    _tell_reasons("failed", failures, names)
    replaced = sum(one.replaced_at is not None for one in ready)
    if order.replaces and replaced:
        click.echo(f"{replaced:,} stand for their originals, which wait in the trash.")
        click.echo(f"Changed your mind? darkroom undo {job_id}")
    if not ready and not failures and not any(one.reason for one in made):
        click.echo("There was nothing to do.")


def _tell_reasons(what: str, reasons: dict[str, str], names: dict[str, str]) -> None:
    if not reasons:
        return
    click.echo(f"{len(reasons):,} {what}:")
    for file_id, reason in list(reasons.items())[:_SHOWN]:
        click.echo(f"  {wording.path(names.get(file_id, file_id))}: {wording.path(reason)}")
    if len(reasons) > _SHOWN:
        click.echo(f"  and {len(reasons) - _SHOWN:,} more")
