"""`darkroom people`: who is in the pictures, and whether anybody may be recognised at all."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from bot.main import Action
    from pipeline.service.answers import Doubt, Person, Portrait
    from pipeline.service.people import Consent, Erased


@click.group("people", invoke_without_command=True)
@click.pass_context
def COMMAND(context: click.Context) -> None:
    """Name people, merge, split and correct them; ask for consent; switch recognition off.

    Faces are grouped by themselves. What you decide is kept for ever, nothing goes against it, and
    `people undo` takes it back. WHO is a name or an id; FACES are ids that `people show` lists.

    \b
    Examples:
      darkroom people
      darkroom people name 0190... Anna
      darkroom people questions
      darkroom people consent Ben no
      darkroom find anna beach 2023
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@COMMAND.command("list")
@click.option("--all", "everybody", is_flag=True, help="Also who is hidden, and small groups.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_(home: Path, everybody: bool = False, as_json: bool = False) -> None:
    """Who there is, the most seen first."""
    from bot.main import look
    from pipeline.service import people

    found = look(home, lambda actor, core: people.listing(actor, core, everybody=everybody))
    for person in found:
        click.echo(json.dumps(asdict(person)) if as_json else _line(person))
    if not found and not as_json:
        click.echo("Nobody yet: faces are grouped after pictures were taken in.")


@COMMAND.command("show")
@click.argument("who")
@click.option("--limit", default=50, show_default=True, help="How many faces to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per face.")
@click.pass_obj
def show(home: Path, who: str, limit: int, as_json: bool) -> None:
    """WHO's faces, the newest taken first."""
    from bot.main import look
    from pipeline.service import people

    shown = look(home, lambda actor, core: people.show(actor, core, who, limit))
    if not as_json:
        click.echo(_line(shown.person))
    for portrait in shown.portraits:
        click.echo(json.dumps(asdict(portrait)) if as_json else f"  {_portrait(portrait)}")


@COMMAND.command("name")
@click.argument("who")
@click.argument("name")
@click.pass_obj
def name(home: Path, who: str, name: str) -> None:
    """Give WHO a name, or another one."""
    from pipeline.service import people

    _decide(home, lambda actor, core: people.name(actor, core, who, name))


@COMMAND.command("merge")
@click.argument("who")
@click.argument("others", nargs=-1, required=True)
@click.pass_obj
def merge(home: Path, who: str, others: tuple[str, ...]) -> None:
    """Say that WHO and OTHERS are one person."""
    from pipeline.service import people

    for other in others:
        _decide(home, functools.partial(people.merge, into=who, other=other))


@COMMAND.command("split")
@click.argument("faces", nargs=-1, required=True)
@click.option("--to", "who", help="Whose they are; without it they are somebody new's.")
@click.pass_obj
def split(home: Path, faces: tuple[str, ...], who: str | None) -> None:
    """Take FACES out of their group, to somebody else."""
    from pipeline.service import people

    _decide(home, lambda actor, core: people.move(actor, core, faces, who))


@COMMAND.command("not")
@click.argument("faces", nargs=-1, required=True)
@click.pass_obj
def not_(home: Path, faces: tuple[str, ...]) -> None:
    """Say that FACES are not who they were taken for."""
    from pipeline.service import people

    _decide(home, lambda actor, core: people.exclude(actor, core, faces))


@COMMAND.command("questions")
@click.option("--limit", default=10, show_default=True, help="How many to ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def questions(home: Path, limit: int, as_json: bool) -> None:
    """Pairs of faces that may be the same person, the likeliest first."""
    from bot.main import look
    from pipeline.service import people

    asked = look(home, lambda actor, core: people.questions(actor, core, limit))
    for doubt in asked:
        click.echo(json.dumps(asdict(doubt)) if as_json else _question(doubt))
    if not asked and not as_json:
        click.echo("No questions.")


@COMMAND.command("answer")
@click.argument("one")
@click.argument("other")
@click.argument("said", type=click.Choice(["yes", "no"]))
@click.pass_obj
def answer(home: Path, one: str, other: str, said: str) -> None:
    """Say whether the faces ONE and OTHER are the same person; it is remembered for ever."""
    from pipeline.service import people

    _decide(home, lambda actor, core: people.answer(actor, core, one, other, is_same=said == "yes"))


@COMMAND.command("hide")
@click.argument("who")
@click.option("--show", "again", is_flag=True, help="Show them again.")
@click.pass_obj
def hide(home: Path, who: str, again: bool) -> None:
    """Show WHO no more: strangers on holiday pictures."""
    from pipeline.service import people

    _decide(home, lambda actor, core: people.hide(actor, core, who, is_hidden=not again))


@COMMAND.command("cover")
@click.argument("who")
@click.argument("face")
@click.pass_obj
def cover(home: Path, who: str, face: str) -> None:
    """Choose the FACE that WHO is shown by; `people show` lists them."""
    from pipeline.service import people

    _decide(home, lambda actor, core: people.cover(actor, core, who, face))


@COMMAND.command("consent")
@click.argument("who")
@click.argument("said", type=click.Choice(["yes", "no", "unknown"]))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def consent(home: Path, who: str, said: Consent, yes: bool) -> None:
    """Note whether WHO may be recognised. "no" erases what they were recognised by.

    Their faces lose their name and can never get one again; this cannot be undone. On pictures
    that come later they are a stranger: nothing is left to know them by.
    """
    from bot.main import change
    from pipeline.service import people

    if said == "no" and not yes:
        click.confirm(f"Erase what {who} is recognised by, for good?", abort=True)
    erased = change(home, lambda actor, core: people.consent(actor, core, who, said))
    click.echo(
        _erased(erased, wording.count(erased.faces, "face")) if said == "no" else "Remembered."
    )


@COMMAND.command("off")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def off(home: Path, yes: bool) -> None:
    """Recognise nobody, and erase everything that anybody was recognised by.

    Names you gave to faces stay; what only Darkroom thought goes. Faces are still found, so that
    pictures can be judged and blurred, but not compared.
    """
    from bot.main import change
    from pipeline.service import people

    if not yes:
        click.confirm("Erase what everybody is recognised by, for good?", abort=True)
    erased = change(home, people.turn_recognition_off)
    click.echo(_erased(erased, wording.count(erased.faces, "embedding")))


@COMMAND.command("on")
@click.pass_obj
def on(home: Path) -> None:
    """Recognise people again; pictures are looked at anew while `darkroom serve` runs."""
    from bot.main import change
    from pipeline.service import people

    count = change(home, people.turn_recognition_on)
    click.echo(f"Recognition is on. {wording.count(count, 'picture')} will be looked at again.")


@COMMAND.command("undo")
@click.argument("decision", required=False)
@click.option("--list", "only_list", is_flag=True, help="Show what can be undone.")
@click.pass_obj
def undo(home: Path, decision: str | None, only_list: bool) -> None:
    """Take back DECISION, or the newest one."""
    from bot.main import change, look
    from pipeline.service import people

    if only_list:
        for entry in look(home, people.undoable):
            click.echo(f"{entry.id}  {wording.moment(entry.at)}  {wording.path(entry.summary)}")
        return
    undone = change(home, lambda actor, core: people.undo(actor, core, decision))
    click.echo(f"Undone: {wording.path(undone.summary)}")


# --- how it is said ----------------------------------------------------------------------------


def _decide(home: Path, decision: Action[str]) -> None:
    from bot.main import change

    entry = change(home, decision)
    click.echo(f"Done. To undo:  darkroom people undo {entry}")


def _line(person: Person) -> str:
    marks = [
        word
        for word, holds in (("hidden", person.is_hidden), ("said no", person.consent == "no"))
        if holds
    ]
    note = f"  ({', '.join(marks)})" if marks else ""
    faces = wording.count(person.faces, "face")
    return f"{person.id}  {wording.path(person.name or '-'):<20}  {faces}{note}"


def _portrait(portrait: Portrait) -> str:
    taken = (portrait.taken_at or "")[:10]
    pinned = "" if portrait.face.by_person else "  (by itself)"
    return f"{portrait.face.id}  {taken:<10}  {wording.path(portrait.path or '-')}{pinned}"


def _question(doubt: Doubt) -> str:
    names = [wording.path(name or "somebody") for name in (doubt.one_name, doubt.other_name)]
    return "\n".join(
        (
            f"Is this the same person ({doubt.similarity:.2f})?",
            f"  {names[0]:<20}  {_portrait(doubt.one)}",
            f"  {names[1]:<20}  {_portrait(doubt.other)}",
            f"  darkroom people answer {doubt.one.face.id} {doubt.other.face.id} yes|no",
            "",
        )
    )


def _erased(erased: Erased, what: str) -> str:
    lines = [f"Erased {what}, in the database and in its snapshots."]
    if erased.left:
        lines.append(
            "These could not be written anew and may still hold them; remove them yourself:"
        )
        lines += [f"  {wording.path(path)}" for path in erased.left]
    lines.append("Copies of the state folder that you made elsewhere are not known here.")
    return "\n".join(lines)
