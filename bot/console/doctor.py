"""`darkroom doctor`: is everything as it should be, and how to mend what is not."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

_MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "bad": ("BAD", "red")}
EXIT_SOMETHING_BAD = 1


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding.")
@click.pass_obj
def COMMAND(home: Path, as_json: bool) -> int:
    """Check settings, folders, disks, database, decoders and worker confinement.

    Each finding that is not fine says how to mend it. Changes nothing.
    """
    from bot.main import examine

    findings = examine(home)
    for finding in findings:
        if as_json:
            click.echo(json.dumps(asdict(finding)))
            continue
        mark, colour = _MARKS[finding.level]
        click.echo(click.style(f"{mark:<5}", fg=colour) + f"{finding.what}")
        if finding.mend:
            click.echo(f"     -> {finding.mend}")
    return EXIT_SOMETHING_BAD if any(f.level == "bad" for f in findings) else 0
