"""`darkroom process`: the whole pipeline over files or folders, once, to the end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import progress, wording

if TYPE_CHECKING:
    from rich.tree import Tree

    from pipeline.core import Core
    from pipeline.model import Actor
    from pipeline.service.process import Plan, Summary

EXIT_ALL_WELL, EXIT_SOME_REJECTED = 0, 1


@click.command("process")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path, resolve_path=True),
)
@click.option("--move", is_flag=True, help="Let go of each source after its copy was verified.")
@click.option("--dry-run", is_flag=True, help="Show the plan as a tree; touch nothing.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write one JSON object per source file to this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.pass_obj
def COMMAND(
    home: Path,
    paths: tuple[Path, ...],
    move: bool,
    dry_run: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    """Take PATHS (files or folders) into the library, once, to the end.

    Every file is recognised by its content, read for its date, place and camera, compared with what
    is there already, copied, verified and given its place. By default the sources are left alone.

    \b
    Examples:
      darkroom process ~/Pictures --dry-run       the plan, nothing touched
      darkroom process ~/Pictures /media/card     copy, sources left alone
      darkroom process ~/Downloads --move         release sources after the verified copy
      darkroom process IMG_1.HEIC --report r.jsonl

    \b
    Exit status: 0 all placed or known, 1 some rejected or failed, 2 could not run.
    A run that was interrupted goes on when it is started again; `darkroom undo` reverses a run.
    """
    from bot.main import rehearse, work

    if dry_run:
        return rehearse(home, lambda actor, core: _plan(actor, core, paths, move, as_json))
    return work(home, lambda actor, core: _process(actor, core, paths, move, report, as_json))


async def _process(
    actor: Actor,
    core: Core,
    paths: tuple[Path, ...],
    move: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    from pipeline.service import process

    job = await process.start(actor, core, paths, move=move)
    await progress.show(process.follow(actor, core, job), quiet=as_json)
    summary = await process.summary(actor, core, job)
    if report is not None:
        await _write_report(report, process.report(actor, core, job))
    if as_json:
        click.echo(json.dumps(asdict(summary)))
    else:
        click.echo(_story(summary, core, job))
    return EXIT_SOME_REJECTED if summary.rejected or summary.failed else EXIT_ALL_WELL


async def _plan(
    actor: Actor, core: Core, paths: tuple[Path, ...], move: bool, as_json: bool
) -> int:
    from pipeline.service import process

    job = await process.start(actor, core, paths, move=move)
    await progress.show(process.follow(actor, core, job), quiet=as_json)
    plan = await process.plan(actor, core, job)
    if as_json:
        click.echo(json.dumps(asdict(plan)))
    else:
        _print_tree(plan, core.home.library)
    return EXIT_SOME_REJECTED if plan.rejected else EXIT_ALL_WELL


async def _write_report(path: Path, rows: AsyncIterator[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as out:  # a report is small and written once, at the end
        async for row in rows:
            out.write(json.dumps(row) + "\n")


def _story(summary: Summary, core: Core, job: str) -> str:
    is_long = summary.seconds > 10
    rate = f", {summary.found / summary.seconds:,.0f} files a second" if is_long else ""
    lines = [
        "",
        f"  {wording.count(summary.found, 'file')} in {wording.duration(summary.seconds)}{rate}",
        f"  {summary.placed:>9,}  placed in the library ({wording.size(summary.bytes_placed)})",
    ]
    for number, words in (
        (summary.sidecars, "sidecars kept with their photos"),
        (summary.duplicates, "already known, not stored twice"),
        (summary.rejected, "not taken, each with a reason (darkroom find --state rejected)"),
        (summary.failed, "failed; they are tried again at the next run"),
    ):
        if number:
            lines.append(f"  {number:>9,}  {words}")
    if summary.ignored:
        lines.append(f"  {summary.ignored:>9,}  temporary or system files ignored")
    lines += ["", f"  Library: {wording.path(core.home.library)}"]
    if summary.placed:
        lines.append(f"  Changed your mind? darkroom undo {job}")
    return "\n".join(lines)


def _print_tree(plan: Plan, library: Path) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.tree import Tree

    tree = Tree(f"[bold]{escape(wording.path(library))}[/bold]")
    branches: dict[str, Tree] = {"": tree}
    for item in plan.placed:
        folder, _, name = item.target.rpartition("/")
        branch = _branch(branches, folder)
        branch.add(
            f"{escape(wording.path(name))}  [dim]<- {escape(wording.path(item.source))}[/dim]"
        )
    console = Console(highlight=False)
    console.print(tree)
    for item in plan.duplicates:
        console.print(f"known     {escape(wording.path(item.source))}", soft_wrap=True)
    for item in plan.rejected:
        source = escape(wording.path(item.source))
        console.print(f"not taken {source}: {escape(item.reason)}", soft_wrap=True)
    verb = "moved" if plan.move else "copied"
    console.print(
        f"\n{wording.count(len(plan.placed), 'file')} would be {verb} "
        f"({wording.size(plan.bytes)}), {len(plan.duplicates):,} known, "
        f"{len(plan.rejected):,} not taken. Nothing was touched."
    )


def _branch(branches: dict[str, Tree], folder: str) -> Tree:
    if folder not in branches:
        parent, _, name = folder.rpartition("/")
        branches[folder] = _branch(branches, parent).add(f"[bold]{name}[/bold]/")
    return branches[folder]
