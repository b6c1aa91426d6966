"""`darkroom users`: who has an account, and ways in for those who lost theirs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor, Json
    from pipeline.service.answers import User
    from pipeline.service.links import Link

ROLES = ("guest", "viewer", "editor", "admin", "owner")


@click.group("users", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """Give people an account, change what they may do, and let them in again.

    Whoever can use this command runs the house, so it asks for no password. NAME is a user name, an
    address of mail or an id.

    \b
    Examples:
      darkroom users link                    the first administrator's link, once more
      darkroom users add ben --role editor   prints the link that sets a password
      darkroom users disable ben             out at once, everywhere
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@COMMAND.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_(home: Path, as_json: bool = False) -> None:
    """Who has an account."""
    from bot.main import look
    from pipeline.service import users

    for user in look(home, users.listing):
        click.echo(json.dumps(asdict(user)) if as_json else _line(user))


@COMMAND.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True)
@click.option("--mail", help="Their address of mail.")
@click.option("--shown-as", help="Their name as others see it.")
@click.pass_obj
def add(home: Path, name: str, role: str, mail: str | None, shown_as: str | None) -> None:
    """Give NAME an account, and print the link by which they set a password."""
    from bot.main import change
    from pipeline.service import users

    async def run(actor: Actor, core: Core) -> str:
        invited = await users.invite(actor, core, name, role, email=mail, display_name=shown_as)
        return _told(core, invited.link)

    click.echo(change(home, run))


@COMMAND.command("link")
@click.argument("name", required=False)
@click.pass_obj
def link(home: Path, name: str | None) -> None:
    """A link by which NAME sets a password anew. Without NAME: the first administrator's.

    It works once; older ones for the same account are worth nothing from now on.
    """
    from bot.main import change
    from pipeline.service import links, users

    async def run(actor: Actor, core: Core) -> str:
        first = await links.first_administrator(core) if name is None else None
        if first is not None:
            return _told(core, first)
        user = await users.find(actor, core, name or core.owner_id)
        return _told(core, await users.link(actor, core, user.id))

    click.echo(change(home, run))


@COMMAND.command("password")
@click.argument("name")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read it from standard input.")
@click.pass_obj
def password(home: Path, name: str, from_stdin: bool) -> None:
    """Set NAME's password here. Everything that was signed in as NAME is signed out."""
    from bot.main import change
    from pipeline.access.door import Caller
    from pipeline.model import Surface
    from pipeline.service import links, users

    wanted = (
        sys.stdin.readline().rstrip("\r\n")
        if from_stdin
        else click.prompt("New password", hide_input=True, confirmation_prompt=True)
    )

    async def run(actor: Actor, core: Core) -> None:
        user = await users.find(actor, core, name)
        made = await users.link(actor, core, user.id)
        await links.redeem(core, made.token, wanted, Caller(surface=Surface.CLI))

    change(home, run)
    click.echo("The password is set; whoever was signed in with the old one is not any more.")


@COMMAND.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@click.pass_obj
def role_(home: Path, name: str, role: str) -> None:
    """Let NAME do more or less."""
    _change(home, name, {"role": role})


@COMMAND.command("disable")
@click.argument("name")
@click.pass_obj
def disable(home: Path, name: str) -> None:
    """Keep NAME out: sessions end at once, keys are worth nothing. What they own stays."""
    _change(home, name, {"is_active": False})


@COMMAND.command("enable")
@click.argument("name")
@click.pass_obj
def enable(home: Path, name: str) -> None:
    """Let NAME in again."""
    _change(home, name, {"is_active": True})


@COMMAND.command("no-code")
@click.argument("name")
@click.pass_obj
def no_code(home: Path, name: str) -> None:
    """Ask NAME for no second factor: for who lost both the app and the recovery codes."""
    from bot.main import change
    from pipeline.service import second_factor, users

    async def run(actor: Actor, core: Core) -> None:
        user = await users.find(actor, core, name)
        await second_factor.reset(actor, core, user.id)

    change(home, run)
    click.echo("Done: the password alone is asked for.")


def _change(home: Path, name: str, fields: dict[str, Json]) -> None:
    from bot.main import change
    from pipeline.service import users

    async def run(actor: Actor, core: Core) -> User:
        user = await users.find(actor, core, name)
        return await users.change(actor, core, user.id, fields)

    click.echo(_line(change(home, run)))


def _told(core: Core, made: Link) -> str:
    from pipeline.service import links

    return "\n".join(
        (
            f"Open this once, before {wording.moment(made.expires_at)}, to set a password for"
            f" {wording.path(made.username)}:",
            f"  {made.address(links.dashboard(core))}",
            "Whoever has it can take the account: give it to nobody else.",
        )
    )


def _line(user: User) -> str:
    marks = [
        word
        for word, holds in (
            ("disabled", not user.is_active),
            ("no password yet", not user.has_password),
            ("second factor", user.has_second_factor),
        )
        if holds
    ]
    note = f"  ({', '.join(marks)})" if marks else ""
    last = wording.moment(user.last_login)
    return f"{user.id}  {wording.path(user.username):<20}  {user.role:<6}  {last}{note}"
