"""Is everything as it should be, and how to mend what is not. Looks only."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.core import Mode, home_of, open_core
from pipeline.errors import DarkroomError, NotFound
from pipeline.model import Home, Surface
from pipeline.service import models, roots, sealing
from pipeline.state import damage, health, jobs, snapshots, users

if TYPE_CHECKING:
    from config.settings import Settings
    from pipeline.clock import Clock
    from pipeline.core import Core

_FETCH = "darkroom models fetch"
LOW_SPACE = 5_000_000_000  # bytes
_DECODERS = (
    "av",
    "exiv2",
    "imagecodecs",
    "imageio-ffmpeg",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "pillow-heif",
    "pypdfium2",
    "rawpy",
    "simplejpeg",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, a `note`, or `bad`; `mend` says what to do."""

    level: Literal["ok", "note", "bad"]
    what: str
    mend: str = ""


async def examine(path: Path, settings: Settings, clock: Clock) -> list[Finding]:
    """All findings, in the order a person would check."""
    home = home_of(path, settings)
    findings = await asyncio.to_thread(lambda: [_python(), *_decoders(), *_folders(home)])
    findings += await asyncio.to_thread(lambda: list(_models(home, settings)))
    findings.append(await asyncio.to_thread(_encoders))
    findings.append(await _confinement(settings, home))
    try:
        async with open_core(path, settings, clock, Mode.LOOK) as core:
            findings += await _state(core)
    except NotFound:
        findings.append(Finding("note", "no library yet", "darkroom process PATH starts one"))
    except DarkroomError as error:
        findings.append(Finding("bad", error.message, error.hint))
    return findings


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("ok", f"Python {version}, Darkroom {metadata.version('darkroom')}")


def _decoders() -> Iterator[Finding]:
    missing = []
    for name in _DECODERS:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding("bad", f"decoders missing: {', '.join(missing)}", "make setup")
    else:
        yield Finding("ok", f"all {len(_DECODERS)} decoders are installed")


def _models(home: Home, settings: Settings) -> Iterator[Finding]:
    for one in models.listing(home.models, settings.vision):
        told = f"model for {one.model.purpose}: {one.model.version}"
        if not one.is_wanted:
            continue
        if one.state == "ready":
            yield Finding("ok", told)
        elif one.state == "missing":
            yield Finding("note", f"{told} is missing: what it tells is not known", _FETCH)
        else:
            yield Finding("bad", f"{told} was cut or changed, and is not used", _FETCH)
    if settings.vision.detector and not models.is_settled(home.models, settings.vision):
        yield Finding("note", "the detector of vision.detector is not in use yet", _FETCH)


def _encoders() -> Finding:
    """Which encoders turned a few pictures into a film just now."""
    from pipeline.codecs import encoders

    able = [encoder for encoder in encoders.ENCODERS if encoders.works(encoder.name)]
    if missing := {"hevc", "av1", "h264"} - {encoder.codec for encoder in able}:
        return Finding("bad", f"no video encoder for {', '.join(sorted(missing))}", "make setup")
    names = ", ".join(encoder.name for encoder in able)
    if any(encoder.is_hardware for encoder in able):
        return Finding("ok", f"video encoders: {names}")
    return Finding("ok", f"video encoders: {names} (none in hardware)")


def _folders(home: Home) -> Iterator[Finding]:
    for name in ("inbox", "library", "trash", "quarantine", "state", "cache"):
        folder: Path = getattr(home, name)
        if not folder.exists():
            yield Finding("note", f"{name}: {folder} is not there yet", "it is made at first use")
        elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            yield Finding("bad", f"{name}: no permission in {folder}", f"chown or chmod {folder}")
        else:
            yield _space(name, folder)
    if home.library.exists() and home.trash.exists():
        yield from _same_disk(home)


def _space(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    told = f"{name}: {folder}, {free / 1e9:.1f} GB free"
    if free < LOW_SPACE:
        return Finding("note", told, "work waits by itself when the disk is full")
    return Finding("ok", told)


def _same_disk(home: Home) -> Iterator[Finding]:
    if home.library.stat().st_dev != home.trash.stat().st_dev:
        yield Finding(
            "bad",
            "the trash is on another disk than the library",
            "set places.trash to a folder on the library's disk: trashing is a rename",
        )


async def _confinement(settings: Settings, home: Home) -> Finding:
    """Start one worker and ask what protects us from it."""
    import tempfile

    from pipeline.engine import worker_settings
    from pipeline.work.workers import local

    scratch = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="darkroom-doctor-")
    try:
        one = worker_settings(settings, home, slots=1)
        async with local.open_workers(one, Path(scratch.name) / "work") as workers:
            found = await workers.protections()
    finally:
        await asyncio.to_thread(scratch.cleanup)
    weak = [name for name, is_on in found.items() if not is_on]
    if weak:
        return Finding(
            "note",
            f"workers are confined, but not by: {', '.join(weak)}",
            "a newer kernel, or fewer restrictions on the container, adds them",
        )
    return Finding("ok", f"workers are confined: {', '.join(found)}")


async def _state(core: Core) -> list[Finding]:
    actor = core.household(Surface.CLI)
    state = await core.db.read(health.look)
    findings = [
        Finding("ok", f"database: {state.bytes / 1e6:.1f} MB, SQLite {state.sqlite_version}")
    ]
    faults = await core.db.read(damage.integrity_faults)
    if faults:
        findings.append(Finding("bad", f"database: {faults[0]}", "darkroom restore"))
    if not await asyncio.to_thread(snapshots.listing, core.home.database):
        findings.append(Finding("note", "no snapshot of the database yet", "darkroom backup"))
    for root in await roots.listing(actor, core):
        if root.state != "online":
            mend = f"connect the disk, or: darkroom roots confirm {root.root.id}"
            findings.append(Finding("bad", f"{root.root.path}: {root.reason}", mend))
    findings += await _accounts(core)
    failed = [job for job in await core.db.read(jobs.recent, core.owner_id, 5) if job.error]
    findings += [Finding("note", f"{job.job_type}: {job.error}") for job in failed]
    return findings


async def _accounts(core: Core) -> list[Finding]:
    """Can somebody sign in, and is what they send to sign in safe on its way?"""
    web, key = core.settings.web, core.home.state / sealing.FILE
    findings = []
    if not await core.db.read(users.other_active_owners, ""):
        told = "nobody has set a password yet"
        findings.append(
            Finding("note", told, "darkroom serve prints a link, or: darkroom users link")
        )
    is_at_home = web.host in ("127.0.0.1", "::1", "localhost")
    if not is_at_home and not web.public_url.startswith("https://"):
        told = f"the dashboard listens on {web.host} without TLS: who listens in sees passwords"
        findings.append(Finding("note", told, "put TLS before it and set web.public_url"))
    if await asyncio.to_thread(_others_can_read, key):
        findings.append(Finding("bad", f"others can read {key}", f"chmod 600 {key}"))
    return findings


def _others_can_read(key: Path) -> bool:
    return key.exists() and bool(key.stat().st_mode & 0o077)
