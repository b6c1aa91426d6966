"""One process owns a home: a lock the kernel lets go of when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import Busy


@contextmanager
def owned(path: Path) -> Iterator[bool]:
    """Hold the lock file at `path`, which names the holder's process id while it runs.

    Gives whether the holder before ended in order (`opening.make_ready` wants to know).
    Raises `Busy` when another process holds it. The file stays; only the lock matters.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _take(handle, path)
        was_closed = os.fstat(handle).st_size == 0
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        try:
            yield was_closed
        finally:
            os.ftruncate(handle, 0)  # also after an exception: by then the state is closed
    finally:
        os.close(handle)


def _take(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
        raise Busy(
            f"This home is in use by another Darkroom (process {holder}).",
            path=path.parent.parent,
            hint="Stop that one first, or use another --home.",
        ) from error
