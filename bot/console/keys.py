"""`darkroom keys`: API keys for what asks by itself."""

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
    from pipeline.service.answers import ApiKey


@click.group("keys", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """Make and revoke keys for programs: Home Assistant, an uploader, a picture frame.

    A key does what its scopes say and nothing else. Made here it belongs to the household.

    \b
    Examples:
      darkroom keys make "Home Assistant" --scope home-assistant
      darkroom keys make Frame --scope files.read --scope albums.read --days 365
      darkroom keys revoke 0190...
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@COMMAND.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_(home: Path, as_json: bool = False) -> None:
    """Everybody's keys: how each begins, what it may do, when it was last used."""
    from bot.main import look
    from pipeline.service import api_keys

    found = look(home, lambda actor, core: api_keys.listing(actor, core, everybody=True))
    for key in found:
        click.echo(json.dumps(asdict(key)) if as_json else _line(key))
    if not found and not as_json:
        click.echo("There are no keys.")


@COMMAND.command("scopes")
def scopes() -> None:
    """Every scope, and the names for what goes well together."""
    from pipeline.access.rights import Right
    from pipeline.service.api_keys import PRESETS

    for name, preset in PRESETS.items():
        click.echo(f"{name:<16}  {' '.join(sorted(preset))}")
    click.echo(f"{'each by itself':<16}  {' '.join(sorted(Right))}")


@COMMAND.command("make")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="See: darkroom keys scopes.")
@click.option("--days", type=click.IntRange(1, 3650), help="Good for so long; else for ever.")
@click.pass_obj
def make(home: Path, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a key called NAME. It is printed this once and known nowhere else."""
    from bot.main import change
    from pipeline.service import api_keys

    async def run(actor: Actor, core: Core) -> api_keys.Made:
        return await api_keys.make(actor, core, name, scopes, days=days)

    made = change(home, run)
    click.echo(made.secret)
    click.echo(f"May: {' '.join(made.key.scopes)}. It is not shown again.", err=True)


@COMMAND.command("revoke")
@click.argument("key")
@click.pass_obj
def revoke(home: Path, key: str) -> None:
    """Make KEY (its id, see the list) worthless."""
    from bot.main import change
    from pipeline.service import api_keys

    change(home, lambda actor, core: api_keys.revoke(actor, core, key))
    click.echo("The key is worth nothing any more.")


def _line(key: ApiKey) -> str:
    ends = f"until {wording.moment(key.expires_at)}" if key.expires_at else "for ever"
    used = f"used {wording.moment(key.used_at)}" if key.used_at else "never used"
    name = wording.path(key.name)
    return f"{key.id}  {key.hint}...  {name:<20}  {used}, {ends}  {' '.join(key.scopes)}"
