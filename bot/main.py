"""The composition root: reads the settings, opens the core, hands it to a command or to `serve`.

The only module that may see every surface. Nothing below it reads the environment.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import Invalid
from pipeline.model import Actor, Surface

if TYPE_CHECKING:
    from config.settings import Settings
    from pipeline.core import Core
    from pipeline.service.doctor import Finding
    from pipeline.service.models import Fetched, Listed
    from pipeline.service.restoring import Restored

T = TypeVar("T")


def settings_of(home: Path) -> Settings:
    """The settings of `home`; a mistake in them is an `Invalid` that names it."""
    from config.settings import SettingsError, load
    from pipeline.service import configuring

    try:
        settings = load(home)
        stored = configuring.stored_at(home, settings)
        return load(home, stored=stored) if stored else settings
    except SettingsError as error:
        raise Invalid(str(error), hint="Correct darkroom.toml or the environment.") from error


Action = Callable[[Actor, "Core"], Awaitable[T]]


def look(home: Path, action: Action[T]) -> T:
    """Run `action` over the home without changing it, also while Darkroom is running there."""
    return _with_core(home, action, "look")


def change(home: Path, action: Action[T]) -> T:
    """Run `action` as the owner of the home. Raises `Busy` where another process owns it."""
    return _with_core(home, action, "change")


def work(home: Path, action: Action[T]) -> T:
    """As `change`, with workers and flow running meanwhile."""
    return _with_core(home, action, "work")


def rehearse(home: Path, action: Action[T]) -> T:
    """As `work`, over a throw-away copy of the state; nothing is placed, the home not touched."""
    return _with_core(home, action, "rehearse")


def _with_core(home: Path, action: Action[T], mode: str) -> T:
    from pipeline.clock import SystemClock
    from pipeline.core import Mode, open_core

    configure_logging()

    async def run() -> T:
        # SIGTERM ends a command as Ctrl-C does: contexts close, and it says that all is safe.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _interrupt)
        async with open_core(home, settings_of(home), SystemClock(), Mode(mode)) as core:
            return await action(core.household(Surface.CLI), core)

    return asyncio.run(run())


def _interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def examine(home: Path) -> list[Finding]:
    """What `darkroom doctor` finds."""
    from pipeline.clock import SystemClock
    from pipeline.service import doctor

    configure_logging()
    return asyncio.run(doctor.examine(home, settings_of(home), SystemClock()))


def list_models(home: Path) -> list[Listed]:
    """Every model file, and whether it is there."""
    from pipeline.core import home_of
    from pipeline.service import models

    settings = settings_of(home)
    return models.listing(home_of(home, settings).models, settings.vision)


def fetch_models(
    home: Path,
    purposes: Sequence[str],
    *,
    everything: bool,
    into: Path | None,
    tell: Callable[[str], None],
) -> Fetched:
    """Get model files; see `pipeline.service.models`."""
    from pipeline.core import home_of
    from pipeline.service import models

    settings = settings_of(home)
    folder = into or home_of(home, settings).models
    return models.fetch(folder, settings.vision, models.every() if everything else purposes, tell)


def restore_state(home: Path, name: str | None) -> Restored:
    """Go back to a snapshot of the state; see `pipeline.service.restoring`."""
    from pipeline.clock import SystemClock
    from pipeline.service import restoring

    configure_logging()
    return asyncio.run(restoring.restore(home, settings_of(home), SystemClock(), name))


def serve(home: Path, *, verbose: bool = False) -> int:
    """Run everything until a signal; the exit status."""
    from integrations import edge
    from pipeline.clock import SystemClock
    from pipeline.core import Mode, open_core
    from pipeline.service import serving
    from pipeline.work.alongside import alongside
    from pipeline.work.stop import run_until_signal
    from web.app import create_app
    from web.gate import AccountGate
    from web.server import serving as listening

    configure_logging(logging.INFO if verbose else logging.WARNING)
    settings = settings_of(home)

    async def run() -> int:
        async with open_core(home, settings, SystemClock(), Mode.WORK) as core:
            await serving.prepare(core)
            app = create_app(core, AccountGate(core))
            async with listening(app, settings.web.host, settings.web.port) as address:
                told = await _welcome(core, address)
                print(told, flush=True)  # noqa: T201 - the one thing `serve` says to a person
                async with alongside(edge.run(core), "cache before us"):
                    await serving.serve(core)
        return 0

    return run_until_signal(run())


async def _welcome(core: Core, address: str) -> str:
    from pipeline.service import links

    shown = core.settings.web.public_url or address
    lines = ["Darkroom is running. Stop it with Ctrl-C; that is always safe."]
    if core.opened is not None and core.opened.reason:
        lines.append(f"  Note: {core.opened.reason}")
    lines += [
        f"  Look at it on    {shown}",
        f"  Drop files into  {core.home.inbox}",
        f"  Find them in     {core.home.library}",
    ]
    if first := await links.first_administrator(core):
        lines += ["", "  Nobody has an account yet. This link makes yours, once:"]
        lines += [f"  {first.address(shown)}", ""]
    return "\n".join(lines)


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
