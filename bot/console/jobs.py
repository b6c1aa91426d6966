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
    """List jobs, newest first; open one, pause, resume, retry or cancel.

    \b
    Examples:
      darkroom jobs
      darkroom jobs show 0190... --failed
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


@COMMAND.command("show")
@click.argument("job")
@click.option("--failed", is_flag=True, help="Only what failed.")
@click.option("--limit", default=100, show_default=True, help="How many files to show.")
@click.pass_obj
def show(home: Path, job: str, failed: bool, limit: int) -> None:
    """Open JOB into its files, with how long each stage took."""
    from bot.main import look
    from pipeline.service import jobs

    for branch in look(
        home,
        lambda actor, core: jobs.tree(actor, core, job, limit=limit, only_failed=failed),
    ):
        task = branch.task
        reason = f"  {wording.path(task.error)}" if task.error else ""
        click.echo(f"{task.status:<9} {wording.path(task.name)}{reason}")
        for visit in branch.spans:
            stages = "  ".join(f"{one.stage} {one.wall_ms} ms" for one in visit.stages)
            click.echo(f"          {visit.kind}, {visit.ended_ms - visit.began_ms} ms: {stages}")


@COMMAND.command("pause")
@click.argument("job", required=False)
@click.option("--minutes", type=float, help="Resume all work by itself after this long.")
@click.option("--now", is_flag=True, help="Do not even finish the file at hand.")
@click.pass_obj
def pause(home: Path, job: str | None, minutes: float | None, now: bool) -> None:
    """Claim no new work until resumed, of JOB or of all; it is remembered over restarts."""
    from bot.main import change
    from pipeline.service import jobs

    if job is not None:
        count = change(home, lambda actor, core: jobs.pause_job(actor, core, job))
        click.echo(f"Paused: {wording.count(count, 'task')} of this job must wait.")
        return
    change(home, lambda actor, core: jobs.pause(actor, core, minutes=minutes, now=now))
    click.echo("Paused." if minutes is None else f"Paused for {minutes:g} minutes.")


@COMMAND.command("resume")
@click.argument("job", required=False)
@click.pass_obj
def resume(home: Path, job: str | None) -> None:
    """Go on with JOB, or with all work."""
    from bot.main import change
    from pipeline.service import jobs

    if job is not None:
        count = change(home, lambda actor, core: jobs.resume_job(actor, core, job))
        click.echo(f"{wording.count(count, 'task')} may go on.")
        return
    change(home, jobs.resume)
    click.echo("Work goes on.")


@COMMAND.command("retry")
@click.argument("job")
@click.pass_obj
def retry(home: Path, job: str) -> None:
    """Try again what failed in JOB, when Darkroom works next."""
    from bot.main import change
    from pipeline.service import jobs

    count = change(home, lambda actor, core: jobs.retry(actor, core, job))
    click.echo(f"{wording.count(count, 'task')} will be tried again.")


@COMMAND.command("cancel")
@click.argument("job")
@click.pass_obj
def cancel(home: Path, job: str) -> None:
    """Cancel what JOB has not begun yet; what is done stays done."""
    from bot.main import change
    from pipeline.service import jobs

    count = change(home, lambda actor, core: jobs.cancel(actor, core, job))
    click.echo(f"Cancelled {wording.count(count, 'open task')}.")
