"""`darkroom jobs`: what was started, how far it is, and stopping it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from bot.console import wording


@click.group("jobs", invoke_without_command=True)
@click.option("--limit", default=20, show_default=True, help="How many to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_context
def COMMAND(context: click.Context, limit: int, as_json: bool) -> None:
    """List jobs, newest first; pause, resume or cancel work.

    \b
    Examples:
      darkroom jobs
      darkroom jobs pause --minutes 30
      darkroom jobs cancel 0190...
    """
    if context.invoked_subcommand is not None:
        return
    from bot.main import look
    from pipeline.service import jobs

    home: Path = context.obj
    for job in look(home, lambda actor, core: jobs.recent(actor, core, limit)):
        if as_json:
            click.echo(json.dumps(asdict(job)))
            continue
        errors = f", {wording.count(job.error_count, 'error')}" if job.error_count else ""
        click.echo(
            f"{job.id}  {wording.moment(job.created_at)}  {job.job_type:<10} {job.status:<9}"
            f" {job.processed_count}/{job.file_count}{errors}"
        )


@COMMAND.command("pause")
@click.option("--minutes", type=float, help="Resume by itself after this long.")
@click.option("--now", is_flag=True, help="Do not even finish the file at hand.")
@click.pass_obj
def pause(home: Path, minutes: float | None, now: bool) -> None:
    """Claim no new work until resumed; it is remembered over restarts."""
    from bot.main import change
    from pipeline.service import jobs

    change(home, lambda actor, core: jobs.pause(actor, core, minutes=minutes, now=now))
    click.echo("Paused." if minutes is None else f"Paused for {minutes:g} minutes.")


@COMMAND.command("resume")
@click.pass_obj
def resume(home: Path) -> None:
    """Go on with the work."""
    from bot.main import change
    from pipeline.service import jobs

    change(home, jobs.resume)
    click.echo("Work goes on.")


@COMMAND.command("cancel")
@click.argument("job")
@click.pass_obj
def cancel(home: Path, job: str) -> None:
    """Cancel what JOB has not begun yet; what is done stays done."""
    from bot.main import change
    from pipeline.service import jobs

    count = change(home, lambda actor, core: jobs.cancel(actor, core, job))
    click.echo(f"Cancelled {wording.count(count, 'open task')}.")
