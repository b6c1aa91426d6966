"""The composition root: reads the settings, opens the core, hands it to a command or to `serve`.

The only module that may see every surface. Nothing below it reads the environment.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import Invalid
from pipeline.model import Actor, Surface

if TYPE_CHECKING:
    from config.settings import Settings
    from pipeline.core import Core

T = TypeVar("T")


def settings_of(home: Path) -> Settings:
    """The settings of `home`; a mistake in them is an `Invalid` that names it."""
    from config.settings import SettingsError, load

    try:
        return load(home)
    except SettingsError as error:
        raise Invalid(str(error), hint="Correct darkroom.toml or the environment.") from error


def with_core(home: Path, action: Callable[[Core, Actor], Awaitable[T]], **options: bool) -> T:
    """Open the core of `home`, run `action` as the person at the terminal, and close it again.

    `options` are those of `pipeline.core.open_core`. Raises `Busy` where another process owns the
    home and the action needs to write.
    """
    from pipeline.clock import SystemClock
    from pipeline.core import open_core

    configure_logging()

    async def run() -> T:
        async with open_core(home, settings_of(home), SystemClock(), **options) as core:
            return await action(core, core.household(Surface.CLI))

    return asyncio.run(run())


def configure_logging(level: int = logging.WARNING) -> None:
    """Structured log lines on standard error; control characters in names cannot forge a line."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "level", "event"], repr_native_str=True
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
