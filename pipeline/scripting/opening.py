"""What every script's call begins with: settings, quiet logs, and no event loop around it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import Invalid

if TYPE_CHECKING:
    from config.settings import Settings


def settings_of(home: Path) -> Settings:
    """The settings of a home. Raises `Invalid` for a mistake in them."""
    from config.settings import SettingsError, load

    try:
        return load(home)
    except SettingsError as error:
        raise Invalid(str(error), hint="Correct darkroom.toml or the environment.") from error


def quiet_logging() -> None:
    """Warnings go to standard error, unless the script has set up logging itself."""
    import logging

    import structlog

    if not structlog.is_configured():
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )


def refuse_inside_loop() -> None:
    """Raise `Invalid` inside a running event loop, which a waiting call would stop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise Invalid(
        "Darkroom's Python interface waits for its work, which would stop this event loop.",
        hint="Call it in a thread: await asyncio.to_thread(manager.find, ...)",
    )
