"""The file by which a root is recognised: a random id, also in the state.

Written only where Darkroom may write, once, with `O_EXCL` and fsync; never replaced, never removed.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from pipeline.intake.ignore import MARKER

_TEXT = """{marker}
By this file Darkroom recognises this folder, whichever disk is mounted here. Please leave it.
"""
_ID = re.compile(rb"[0-9a-f]{32}\n")
_LIMIT = 512


def read(root: Path) -> str | None:
    """The id in the marker of `root`; None if there is no whole one. Never follows a link."""
    try:
        fd = os.open(root / MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        match = _ID.match(os.read(fd, _LIMIT))
    except OSError:
        return None
    finally:
        os.close(fd)
    return match[0].decode().strip() if match else None


def write(root: Path) -> str:
    """Make the marker of `root`, durable on return, and give back its id.

    A whole marker that is there already is kept and its id returned. Raises OSError.
    """
    before = read(root)
    if before is not None:
        return before
    marker = secrets.token_hex(16)
    # Without O_EXCL only over our own marker that a power cut left half-written.
    exclusive = 0 if (root / MARKER).is_file() else os.O_EXCL
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | exclusive
    fd = os.open(root / MARKER, flags, 0o644)
    try:
        os.write(fd, _TEXT.format(marker=marker).encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    _fsync_folder(root)
    return marker


def _fsync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
