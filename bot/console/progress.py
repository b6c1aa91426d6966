"""Progress bars, one per step of the way, with rate and time left; quiet when nobody watches."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import click

from bot.console import wording

if TYPE_CHECKING:
    from pipeline.service.answers import Progress

TAKING_IN = (("studied", "Study"), ("processed", "Place"))
MAKING = (("processed", "Make"),)
Bars = tuple[tuple[str, str], ...]  # attributes of `Progress`, with what a person reads


async def show(
    steps: AsyncIterator[Progress], *, quiet: bool = False, bars: Bars = TAKING_IN
) -> None:
    """Follow `steps` to their end; draw them only on a terminal. What work waits for is told."""
    told = _telling(steps)
    if quiet or not sys.stderr.isatty():
        async for _ in told:
            pass
        return
    await _draw(told, bars)


async def _telling(steps: AsyncIterator[Progress]) -> AsyncIterator[Progress]:
    before = None
    async for step in steps:
        if step.why and step.why != before:
            click.echo(f"Waiting: {wording.path(step.why)}", err=True)
        before = step.why or before
        yield step


async def _draw(steps: AsyncIterator[Progress], wanted: Bars) -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Drawing

    columns = (
        TextColumn("{task.description:<6}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Drawing(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {name: bars.add_task(words, total=None, rate="") for name, words in wanted}
        async for step in steps:
            for name, task in tasks.items():
                done = getattr(step, name)
                speed = bars.tasks[task].speed
                rate = f"{speed:,.0f}/s" if speed else ""
                bars.update(task, completed=done, total=step.total or None, rate=rate)
