"""Files that arrive piece by piece: written durably where they are expected, named when whole.

Below one folder for each library lie unfinished parts, named by us alone, and finished files under
names made safe. What a sender calls a file is never a path.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import Busy, Conflict, Invalid
from pipeline.library import component, fsops
from pipeline.library.below import Below, opened
from pipeline.library.bytewise import write_all
from pipeline.library.failures import explained

PARTS = ".darkroom-parts"  # scans pass it over
_DEEPEST = 20
_OPEN = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def part_of(base: Path, upload_id: str) -> Below:
    """Where what has come of an upload lies."""
    return Below(base, f"{PARTS}/{upload_id}")


def name_of(batch: str, told: str) -> str:
    """The safe path, below the library's folder, of a file that its sender called `told`.

    Folders are kept: what belongs together lies together. Raises `Invalid` for a name that is none.
    """
    parts = [part for part in told.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if not parts or len(parts) > _DEEPEST:
        raise Invalid("An upload needs a name, in at most 20 folders.")
    return "/".join([component.safe(batch), *map(component.safe, parts)])


@contextmanager
def writing(part: Below) -> Iterator[int]:
    """A descriptor to write a part through; nobody else writes it meanwhile.

    Raises `Busy` while another request does. What was written is on the disk afterwards.
    """
    fsops.make_folders(part.base, part.folder)
    with explained(part.path):
        file = os.open(part.path, _OPEN, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy("Another request goes on with this upload.", after_s=1) from error
            yield file
            os.fdatasync(file)
        finally:
            os.close(file)


def put(file: int, offset: int, data: bytes) -> None:
    """Write bytes where they belong."""
    with explained(Path("upload")):
        os.lseek(file, offset, os.SEEK_SET)
        write_all(file, data)


def settle(part: Below, name: str, size: int, sha256: str | None, mtime_ns: int | None) -> Below:
    """Give a whole part its name, once its bytes are what the sender said.

    Raises `Conflict` where they are not. A name that is taken gets a folder of its own.
    """
    digest, identity = fsops.hash_file(part)
    if identity.size != size or (sha256 is not None and digest != sha256):
        raise Conflict(
            "What came is not what was to come: the checksum differs. It was not kept.",
            hint="Send the file again.",
        )
    if mtime_ns is not None:
        with opened(part) as file:
            os.utime(file, ns=(mtime_ns, mtime_ns))
    target = Below(part.base, name)
    if fsops.is_taken(target):
        target = Below(part.base, f"{part.name}/{target.name}")
    fsops.settle_own(part, target)
    return target


def drop(part: Below) -> None:
    """Forget what has come. Gone is fine."""
    fsops.make_folders(part.base, part.folder)
    fsops.remove_own_file(part)


def strays(base: Path, known: set[str]) -> list[Below]:
    """Parts that belong to no upload."""
    folder = base / PARTS
    if not folder.is_dir():
        return []
    return [part_of(base, one.name) for one in folder.iterdir() if one.name not in known]
