"""What the operating system's refusals mean to a family: errno to our own error tree.

Everything that `fsops` does runs inside `explained`, so that no bare `OSError` leaves the library.
The question answered is always the same: does waiting help, and is anything lost?
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import (
    Busy,
    Conflict,
    DarkroomError,
    Invalid,
    NotAllowed,
    StorageFull,
    StorageOffline,
    TooLarge,
    TryLater,
)

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_BUSY = frozenset({
    errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
    errno.ETXTBSY, errno.EDEADLK, errno.ENOLCK,
})  # fmt: skip
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY})
_ODD_NAME = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an `OSError` about `path` into the `DarkroomError` that says what to do."""
    try:
        yield
    except OSError as error:
        raise explain(error, path) from error


def explain(error: OSError, path: Path) -> DarkroomError:
    """Our error for `error`; what is not known better is worth another try."""
    code = error.errno or 0
    if code in _FULL:
        return StorageFull(
            "The disk is full.",
            path=path,
            hint="Nothing was lost; work goes on when there is room.",
            after_s=30.0,
        )
    if code in _BUSY:
        return Busy("The system is too busy for this file just now.", path=path)
    if code in _TAKEN:
        return Conflict("Another file already has this name.", path=path)
    if code in _ODD_NAME:
        return Invalid("The disk does not accept this file name.", path=path)
    if code == errno.ENOTDIR:
        return NotAllowed("A file or a link stands where a folder should be.", path=path)
    if code == errno.ELOOP:
        return NotAllowed("This is a link; links are never followed.", path=path)
    if code == errno.EFBIG:
        return TooLarge("The file is larger than this disk can hold in one file.", path=path)
    return _away(code, error, path)


def _away(code: int, error: OSError, path: Path) -> TryLater:
    """The disk or the file is not there, or does not let us: it may be later."""
    if code in _FORBIDDEN:
        return StorageOffline(
            "Darkroom may not read or write here.",
            path=path,
            hint="Check who owns the folder; the file is safe where it is.",
            after_s=60.0,
        )
    if code == errno.EROFS:
        return StorageOffline(
            "The disk is mounted read-only.",
            path=path,
            hint="Often a sign of a failing disk; look at it before anything else.",
            after_s=60.0,
        )
    if code == errno.ENOENT:
        return StorageOffline("The file or its folder is not there now.", path=path, after_s=30.0)
    reason = error.strerror or type(error).__name__
    return StorageOffline(f"The disk does not answer properly: {reason}.", path=path, after_s=30.0)
