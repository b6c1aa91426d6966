"""`darkroom shares`: links for people without an account, and ending them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.service.answers import Share


@click.group("shares", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """Links that people without an account open. They are made on the dashboard.

    \b
    Examples:
      darkroom shares
      darkroom shares revoke 0190...
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@COMMAND.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_(home: Path, as_json: bool = False) -> None:
    """The household's links: how each begins, how often it was opened, when it ends."""
    from bot.main import look
    from pipeline.service import shares

    found = look(home, shares.listing)
    for share in found:
        click.echo(json.dumps(asdict(share)) if as_json else _line(share))
    if not found and not as_json:
        click.echo("There are no links.")


@COMMAND.command("revoke")
@click.argument("share")
@click.pass_obj
def revoke(home: Path, share: str) -> None:
    """End SHARE (its id, see the list) at once, also for those who are looking at it."""
    from bot.main import change
    from pipeline.service import shares

    change(home, lambda actor, core: shares.revoke(actor, core, share))
    click.echo("The link leads nowhere any more.")


def _line(share: Share) -> str:
    limit = "" if share.view_limit is None else f" of {share.view_limit:,}"
    views = f"opened {share.views:,}{limit} times"
    password = "  with a password" if share.has_password else ""
    what = "an album" if share.album_id else "files"
    title = wording.path(share.title or what)
    return f"{share.id}  {share.hint}...  {title:<20}  {views}, {_end(share)}{password}"


def _end(share: Share) -> str:
    if share.revoked_at is not None:
        return f"ended {wording.moment(share.revoked_at)}"
    return f"until {wording.moment(share.expires_at)}" if share.expires_at else "for ever"
