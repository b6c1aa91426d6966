"""A detector of the family's own in place of the default one, as `vision.detector` says.

Its file is taken into the folder of model files once, and its hash is kept in `own.toml` beside it:
from then on exactly this file is used, until the setting changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urldefrag

from pipeline.errors import Invalid
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.vision import downloading
from pipeline.vision.fetch import fetch
from pipeline.vision.models import OWN, Absent, Model, Source, manifest
from pipeline.vision.networks import checked

PURPOSE = "objects"
_FILE = "own-detector.onnx"
_SIMPLE = ("file", "sha256", "version", "stage", "runtime", "licence", "input", "output", "note")


def settle(folder: Path, work: Path, told: str, tell: Callable[[str], None]) -> None:
    """Bring `own.toml` in `folder` in line with the setting: a path, an address, or nothing.

    `work` lies in `folder`. Where the file cannot be had, the failure is raised and what was there
    stays in use.
    """
    held = manifest(folder)[PURPOSE] if (folder / OWN).exists() else None
    if not told:
        if held is not None:
            fsops.remove_own_file(Below(folder, OWN))
    elif held is None or held.note != told or not _is_ready(folder, held):
        _take(folder, work, told, tell)


def in_use(folder: Path) -> str:
    """The setting by which the detector in use came; empty for the default one."""
    return manifest(folder)[PURPOSE].note if (folder / OWN).exists() else ""


def _is_ready(folder: Path, model: Model) -> bool:
    try:
        checked(folder, model)
    except Absent:
        return False
    return True


def _take(folder: Path, work: Path, told: str, tell: Callable[[str], None]) -> None:
    source = _source(told)
    tell(f"{PURPOSE}: your own detector from {downloading.shown(source.url)}")
    made = fetch(_model(told, source), work)
    found = replace(_model(told, source), sha256=downloading.verified(made, source.sha256))
    fsops.replace_file(Below(folder, f"{work.name}/{made.name}"), Below(folder, found.file))
    (work / OWN).write_text(_toml(found), encoding="utf-8")
    fsops.replace_file(Below(folder, f"{work.name}/{OWN}"), Below(folder, OWN))


def _source(told: str) -> Source:
    address, fragment = urldefrag(told)
    sha256 = fragment.removeprefix("sha256=")
    if fragment and len(sha256) != 64:
        raise Invalid(f"{fragment!r} is no hash.", hint="Write #sha256= and its 64 digits.")
    if "://" not in address and not Path(address).is_absolute():
        raise Invalid(
            f"vision.detector is {address!r}: neither an address nor a path from the root.",
            hint="Write https://... or /folder/file.onnx",
        )
    return Source("url", _FILE, sha256, 0, url=address)


def _model(told: str, source: Source) -> Model:
    return Model(
        purpose=PURPOSE,
        file=_FILE,
        sha256=source.sha256,
        version=Path(source.url).stem,
        stage="objects",
        runtime="onnx",
        licence="as its publisher says",
        input="1 x 3 x height x width, RGB",
        output="boxes and classes, as the YOLO family and NanoDet give them",
        source=source,
        note=told,
    )


def _toml(model: Model) -> str:
    """The entry of the manifest; JSON's strings are TOML's too."""
    lines = [f"[{PURPOSE}]", *(f"{key} = {json.dumps(getattr(model, key))}" for key in _SIMPLE)]
    source = {"registry": "url", "archive": _FILE, "sha256": model.sha256, "url": model.source.url}
    lines += ["[objects.source]", "size = 0"]
    return "\n".join([*lines, *(f"{key} = {json.dumps(value)}" for key, value in source.items())])
