"""Walking a root: which files are there, and what was passed over and why.

Never leaves the root: no link is followed, each directory is opened without following and compared
with what its parent listed. Opens no file at all, so no pipe or device can block. Memory is one
batch plus the directories still to be listed; names that are not valid text are kept as they are.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.intake import ignore
from pipeline.model import Candidate, Root

BATCH = 500  # files handed over at once
_FOLDERS_PER_HOP = 64
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_PATH_LIMIT = 4000  # bytes of one path that a kernel takes, with room to spare

LINK = "a link to another place"
SPECIAL = "not a file (a pipe, socket or device)"
TOO_DEEP = "its path is too long for programs to open"


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file as listed, with the time of its last change of any kind."""

    candidate: Candidate
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that could not be read, for a person."""

    path: str
    reason: str


@dataclass(slots=True)
class Batch:
    """A part of a walk; all files of one batch lie in one directory."""

    directory: str
    seen: list[Seen] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)  # names passed over, by reason
    problems: list[Problem] = field(default_factory=list)


_Identity = tuple[int, int]


def walk(
    root: Root, *, below: Sequence[str] = ("",), skip: Collection[Path] = (), deep: bool = True
) -> Iterator[Batch]:
    """List `root` (or only the directories `below` it), one batch at a time. Blocks.

    Directories at the paths `skip` are not entered; a directory is listed once even if it is
    mounted in several places.
    """
    listed = {_identity(path) for path in skip}
    todo: list[tuple[str, _Identity | None]] = [(path, None) for path in reversed(below)]
    while todo:
        directory, expected = todo.pop()
        folders: list[tuple[str, _Identity | None]] = []
        yield from _list(root, directory, expected, listed, folders)
        if deep:
            todo.extend(sorted(folders, reverse=True))


def pick(root: Root, paths: Sequence[str]) -> Batch:
    """Only these paths below the root, whatever their names; what is not a file is a problem."""
    batch = Batch("")
    for path in paths:
        try:
            status = os.lstat(root.path / path)
        except OSError as error:
            batch.problems.append(Problem(path, _explained(error)))
            continue
        if stat.S_ISREG(status.st_mode):
            batch.seen.append(_seen(root, path, status))
        else:
            is_link = stat.S_ISLNK(status.st_mode)
            batch.problems.append(Problem(path, LINK if is_link else SPECIAL))
    return batch


async def scan(
    root: Root,
    *,
    below: Sequence[str] = ("",),
    skip: Collection[Path] = (),
    deep: bool = True,
) -> AsyncIterator[Batch]:
    """`walk` in a thread; the next part is only listed when the last one was taken."""
    batches = walk(root, below=below, skip=skip, deep=deep)
    while part := await asyncio.to_thread(_part, batches):
        for batch in part:
            yield batch


def _part(batches: Iterator[Batch]) -> list[Batch]:
    """Several small directories at once, because each hop between threads costs."""
    part: list[Batch] = []
    count = 0
    for batch in batches:
        part.append(batch)
        count += len(batch.seen)
        if count >= BATCH or len(part) >= _FOLDERS_PER_HOP:
            break
    return part


def _list(
    root: Root,
    directory: str,
    expected: _Identity | None,
    listed: set[_Identity | None],
    folders: list[tuple[str, _Identity | None]],
) -> Iterator[Batch]:
    """Batches of one directory; the directories in it are added to `folders`."""
    batch = Batch(directory)
    try:
        fd = _open(root.path, directory)
    except OSError as error:
        batch.problems.append(Problem(directory, _explained(error)))
        yield batch
        return
    try:
        if not _enter(fd, expected, listed):
            return
        with os.scandir(fd) as entries:
            for entry in entries:
                _sort(root, entry, batch, folders)
                if len(batch.seen) >= BATCH:
                    yield batch
                    batch = Batch(directory)
    except OSError as error:
        batch.problems.append(Problem(directory, _explained(error)))
    finally:
        os.close(fd)
    yield batch


def _enter(fd: int, expected: _Identity | None, listed: set[_Identity | None]) -> bool:
    """Is this the directory that its parent listed, and not listed yet?"""
    status = os.fstat(fd)
    identity = (status.st_dev, status.st_ino)
    if identity in listed or (expected is not None and identity != expected):
        return False
    listed.add(identity)
    return True


def _sort(
    root: Root,
    entry: os.DirEntry[str],
    batch: Batch,
    folders: list[tuple[str, _Identity | None]],
) -> None:
    """Put one directory entry where it belongs."""
    path = f"{batch.directory}/{entry.name}" if batch.directory else entry.name
    try:
        if entry.is_symlink():
            batch.passed[LINK] += 1
            return
        is_folder = entry.is_dir(follow_symlinks=False)
        why = ignore.why_folder(entry.name) if is_folder else ignore.why_file(entry.name)
        if why is not None:
            batch.passed[why] += 1
            return
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return  # gone since it was listed
    except OSError as error:
        batch.problems.append(Problem(path, _explained(error)))
        return
    if stat.S_ISDIR(status.st_mode):
        folders.append((path, (status.st_dev, status.st_ino)))
    elif not stat.S_ISREG(status.st_mode):
        batch.passed[SPECIAL] += 1
    elif len(os.fsencode(root.path)) + len(os.fsencode(path)) >= _PATH_LIMIT:
        batch.problems.append(Problem(path, TOO_DEEP))
    else:
        batch.seen.append(_seen(root, path, status))


def _open(root: Path, directory: str) -> int:
    """Open a directory below the root, in pieces where its path is longer than a kernel takes."""
    fd = os.open(root, _OPEN & ~os.O_NOFOLLOW)
    for piece in _pieces(directory):
        try:
            below = os.open(piece, _OPEN, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def _pieces(directory: str) -> Iterator[str]:
    while len(os.fsencode(directory)) > _PATH_LIMIT:
        cut = directory.rindex("/", 0, _PATH_LIMIT // 4)  # four bytes a character at most
        yield directory[:cut]
        directory = directory[cut + 1 :]
    if directory:
        yield directory


def _seen(root: Root, path: str, status: os.stat_result) -> Seen:
    candidate = Candidate(root.id, path, status.st_size, status.st_mtime_ns, status.st_ino)
    return Seen(candidate, status.st_ctime_ns)


def _identity(path: Path) -> _Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _explained(error: OSError) -> str:
    match error:
        case PermissionError():
            return "Darkroom has no permission to read it"
        case FileNotFoundError():
            return "it is not there"
        case _:
            return f"it cannot be read: {error.strerror or error}"
