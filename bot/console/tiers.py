"""`darkroom tiers`: older photos and videos made smaller, as the settings say."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import progress, wording
from pipeline.errors import Invalid
from pipeline.model import PLURAL

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor
    from pipeline.service.tiers import Forecast


@click.command("tiers")
@click.option("--run", "does_it", is_flag=True, help="Do it, instead of telling what it would do.")
@click.option("--sample", default=8, show_default=True, type=click.IntRange(0, 100),
              help="Copies to make for the forecast, where little is known yet.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object per tier and kind.")
@click.pass_obj
def COMMAND(home: Path, does_it: bool, sample: int, as_json: bool) -> int:
    """Tell what the tiers by age would make smaller and how much that saves, or do it.

    \b
    Tiers stand in darkroom.toml:
      [retention]
      tiers = [{after_months = 6, quality = "high"}, {after_months = 24, quality = "compact"}]

    Younger files stay as they came in. Copies are made of the original for as long as it is there,
    compared with it, and take its place; originals wait in the trash. `serve` does this once a
    week. `darkroom undo` brings the originals of a run back.

    \b
    Examples:
      darkroom tiers              what would be done, with a forecast from a few real copies
      darkroom tiers --run
    """
    from bot.main import work

    async def run(actor: Actor, core: Core) -> int:
        if not core.settings.retention.tiers:
            raise Invalid("There are no tiers.", hint="Name them in darkroom.toml: [retention].")
        if does_it:
            return await _run(actor, core, as_json=as_json)
        from pipeline.service import tiers

        for one in await tiers.forecast(actor, core, sample=sample):
            click.echo(json.dumps(asdict(one)) if as_json else _line(one))
        return 0

    return work(home, run)


async def _run(actor: Actor, core: Core, *, as_json: bool) -> int:
    from pipeline.service import process, renditions, tiers

    failed = 0
    for job_id in await tiers.start(actor, core):
        steps = process.follow(actor, core, job_id)
        await progress.show(steps, quiet=as_json, bars=progress.MAKING)
        made = await renditions.made(actor, core, job_id)
        failures = await renditions.failures(actor, core, job_id)
        failed += len(failures)
        ready = [one for one in made if one.replaced_at is not None]
        freed = sum(one.bytes_before - (one.bytes_after or 0) for one in ready)
        told = {"job_id": job_id, "replaced": len(ready), "freed": freed, "failed": len(failures)}
        words = f"{wording.count(len(ready), 'copy', 'copies')} took their originals' place"
        said = f"{words}, freeing {wording.size(freed)}; darkroom undo {job_id} reverses it."
        click.echo(json.dumps(told) if as_json else said)
    return 1 if failed else 0


def _line(one: Forecast) -> str:
    what = f"{one.files:,} {PLURAL[one.category]} ({wording.size(one.bytes)})"
    if not one.files:
        saves = "nothing to do"
    elif one.saved is None:
        saves = "nothing is known yet of what it saves"
    else:
        saves = f"would save about {wording.size(one.saved)}"
    return f"older than {one.after_months} months, {one.quality}: {what}: {saves}"
