"""`darkroom audit`: who did what; whether the log is whole; taking it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor
    from pipeline.service.answers import Line
    from pipeline.service.audit import Format

EXIT_BROKEN = 1


@click.group("audit", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """Who signed in, shared, lent, edited, moved, trashed, decided, and started or undid what.

    Lines are never changed or deleted, and each holds the hash of the one before. Note the head
    that `verify` prints down somewhere else: held against it later, a log that was written anew
    is found too.

    \b
    Examples:
      darkroom audit
      darkroom audit verify --head 3f1c...
      darkroom audit export --format csv > audit.csv
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@COMMAND.command("list")
@click.option("--limit", default=50, show_default=True, help="How many lines.")
@click.option("--action", help="Only this action, such as share.made.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_(home: Path, limit: int = 50, action: str | None = None, as_json: bool = False) -> None:
    """The newest lines."""
    from bot.main import look
    from pipeline.service import audit
    from pipeline.service.answers import LinesAsked as Asked

    asked = Asked(action=action)
    for line in look(home, lambda actor, core: audit.page(actor, core, asked, limit=limit)):
        click.echo(json.dumps(audit.as_json(line)) if as_json else _line(line))


@COMMAND.command("verify")
@click.option("--head", help="The head that an earlier check printed.")
@click.pass_obj
def verify(home: Path, head: str | None) -> int:
    """Check the whole chain. Exit status 1 where it is broken."""
    from bot.main import look
    from pipeline.service import audit

    found = look(home, lambda actor, core: audit.verify(actor, core, head))
    if found.fault is not None:
        click.echo(f"Line {found.fault.seq:,} is not as it was written: {found.fault.reason}.")
        return EXIT_BROKEN
    click.echo(f"{wording.count(found.lines, 'line')}, all as they were written.")
    click.echo(f"Head: {found.head}")
    return 0


@COMMAND.command("export")
@click.option("--format", "how", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@click.pass_obj
def export(home: Path, how: Format) -> None:
    """Every line, in order, on standard output."""
    from bot.main import look
    from pipeline.service import audit

    async def run(actor: Actor, core: Core) -> None:
        async for text in audit.export(actor, core, how):
            click.echo(text, nl=False)

    look(home, run)


def _line(line: Line) -> str:
    who = f"{line.surface}:{line.user_id}"
    what = f"{line.action:<22}  {wording.path(line.subject)}"
    return f"{line.seq:>6}  {wording.moment(line.at)}  {wording.path(who)}  {what}"
