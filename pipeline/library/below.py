"""A path that cannot leave its folder, and opening it without following a link on the way.

Reading only. Folders are opened one by one from the base, so that a link put there meanwhile is
refused, not followed. Failures are explained by the path they are about.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import NotAllowed, NotMedia
from pipeline.library.failures import explained

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO must not block


@dataclass(frozen=True, slots=True)
class Below:
    """A file or folder below `base`, which it cannot leave. `relative` uses "/"."""

    base: Path
    relative: str

    def __post_init__(self) -> None:
        parts = self.relative.split("/")
        if "\0" in self.relative or any(part in ("", ".", "..") for part in parts):
            raise NotAllowed("This path leaves its folder.", path=Path(self.relative))

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.base / self.relative

    @property
    def folder(self) -> str:
        """The relative path of the directory it lies in; "" is `base` itself."""
        return self.relative.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last component."""
        return self.relative.rpartition("/")[2]


def with_ancestors(folders: Iterable[str]) -> set[str]:
    """The folders and all that they lie in, up to the base, which is ""."""
    found = {""}
    for folder in folders:
        parts = folder.split("/") if folder else []
        found.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return found


@contextmanager
def directory(path: Path) -> Iterator[int]:
    found = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield found
    finally:
        os.close(found)


@contextmanager
def walked(base: Path, folder: str) -> Iterator[int]:
    """A descriptor of `folder` below `base`, reached without following a link on the way."""
    at = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folder.split("/") if folder else ():
            inner = os.open(part, DIRECTORY, dir_fd=at)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


@contextmanager
def parent(place: Below) -> Iterator[tuple[int, str]]:
    """The open folder of `place` and its name in there; failures are explained by its path."""
    with explained(place.path), walked(place.base, place.folder) as folder:
        yield folder, place.name


@contextmanager
def opened(file: Below) -> Iterator[int]:
    """A plain file, open for reading. Raises NotMedia for anything else."""
    with parent(file) as (folder, name):
        descriptor = os.open(name, _READ, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NotMedia("This is not a plain file.", path=file.path)
            yield descriptor
        finally:
            os.close(descriptor)
