"""`darkroom study`: look again at what was studied before more could be seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import progress, wording

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.model import Actor


@click.command("study")
@click.pass_obj
def COMMAND(home: Path) -> int:
    """Look again at files that came in before Darkroom got its models or learnt something new.

    Only what is not known yet is looked for; where files lie, and what you said about them, stays.
    `serve` does this by itself, whenever nothing else is to be done.

    \b
    Example:
      darkroom models fetch && darkroom study
    """
    from bot.main import work

    return work(home, _study)


async def _study(actor: Actor, core: Core) -> int:
    from pipeline.service import jobs, process, renditions, studying

    job_id = await studying.start(actor, core)
    if job_id is None:
        click.echo("Everything is known that can be seen.")
        return 0
    await progress.show(process.follow(actor, core, job_id), bars=(("processed", "Study"),))
    job = await jobs.get(actor, core, job_id)
    failures = await renditions.failures(actor, core, job_id)
    click.echo(f"{wording.count(job.file_count - len(failures), 'file')} studied again.")
    for file_id, reason in failures.items():
        click.echo(f"  {file_id}: {wording.path(reason)}")
    return 1 if failures else 0
