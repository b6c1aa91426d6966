"""The four categories people know, told from content. Reads a folder, changes nothing, needs no
home."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import NotFound
from pipeline.intake import kind, scan
from pipeline.model import PLURAL, Root, RootKind, Take


def by_content(directory: Path) -> dict[str, list[str]]:
    """The paths of all photos, videos, documents and audio files below `directory`, sorted.

    What a file is called does not count. Sidecars, temporary and system files, links and what
    nobody can make sense of or read are left out. Raises `NotFound` for what is no folder.
    """
    if not directory.is_dir():
        raise NotFound("There is no such folder.", path=directory)
    found: dict[str, list[str]] = {name: [] for name in PLURAL.values()}
    root = Root("", directory, RootKind.FOREIGN, Take.INDEX, "")
    for batch in scan.walk(root):
        for seen in batch.seen:
            path = directory / seen.candidate.path
            name = _category(path)
            if name is not None:
                found[name].append(str(path))
    return {name: sorted(paths) for name, paths in found.items()}


def _category(path: Path) -> str | None:
    try:
        told = kind.sniff_file(path)
    except OSError:  # gone, or not ours to read
        return None
    return None if told is None else PLURAL.get(told.category)
