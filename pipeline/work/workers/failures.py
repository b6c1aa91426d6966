"""What an exception inside a visit means for the stage it came from.

Trouble of the machine (a full or failing disk, no descriptors left) is nobody's fault and comes
back Later; trouble with the file is a Reject; our own bugs are rejections too, and are logged.
"""

from __future__ import annotations

import errno
from pathlib import Path

from pipeline.errors import BadMedia, ChangedWhileRead, TryLater
from pipeline.model import Later, Outcome, Reject

AGAIN_S = 10.0
MACHINE_AGAIN_S = 30.0
OUT_OF_MEMORY = "It needs more memory than Darkroom gives to one file."
_MACHINE = frozenset(
    {
        errno.EIO,
        errno.ESTALE,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENODEV,
        errno.ENXIO,
        errno.ENOTCONN,
        errno.EHOSTDOWN,
        errno.ETIMEDOUT,
    }
)


def outcome_of(error: Exception, path: Path) -> Outcome:
    """The outcome of a stage, or of the opening of the file at `path`, that raised `error`."""
    match error:
        case ChangedWhileRead():
            return Later(AGAIN_S, error.message)
        case TryLater():
            return Later(error.after_s, error.message)
        case BadMedia():
            return Reject(error.message)
        case MemoryError():
            return Reject(OUT_OF_MEMORY)
        case OSError() if error.filename == str(path):
            return Later(AGAIN_S, f"The file could not be opened: {error.strerror}.")
        case OSError() if is_of_the_machine(error):
            return Later(MACHINE_AGAIN_S, f"The machine could not go on: {error.strerror}.")
    return Reject(f"It could not be read to the end ({described(error)}).")


def is_of_the_machine(error: OSError) -> bool:
    """Did the system say so itself? Decoders reuse its numbers for what they find in a file."""
    return type(error).__module__ == "builtins" and error.errno in _MACHINE


def is_a_bug(error: Exception) -> bool:
    """Is this none of the failures that files and machines are known for?"""
    return not isinstance(error, BadMedia | TryLater | MemoryError | OSError)


def described(error: Exception) -> str:
    """One short line for logs and reasons."""
    return f"{type(error).__name__}: {error}"[:200]
